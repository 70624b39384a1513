#include "CLibCrypto.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

// The opaque name of an EVP_PKEY: the pointer is only ever cast, never looked into.
static EVP_PKEY *key_of(const atelier_rsa_key *key) { return (EVP_PKEY *)key; }

static const EVP_MD *digest_of(int hash) {
  if (hash == 256) return EVP_sha256();
  if (hash == 512) return EVP_sha512();
  return NULL;
}

// The error queue belongs to the thread and is never read here; left full it would grow with every bad key.
static atelier_rsa_key *accept(EVP_PKEY *key, const uint8_t *cursor, const uint8_t *end) {
  ERR_clear_error();
  if (key == NULL) return NULL;
  // EVP_PKEY_RSA only: an RSA-PSS key forbids the padding that the fediverse uses.
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || cursor != end) {
    EVP_PKEY_free(key);
    return NULL;
  }
  return (atelier_rsa_key *)key;
}

atelier_rsa_key *atelier_rsa_private_key(const uint8_t *der, size_t length) {
  if (der == NULL || length == 0 || length > INT_MAX) return NULL;
  const uint8_t *cursor = der;
  EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &cursor, (long)length);
  return accept(key, cursor, der + length);
}

atelier_rsa_key *atelier_rsa_public_key(const uint8_t *der, size_t length) {
  if (der == NULL || length == 0 || length > INT_MAX) return NULL;
  const uint8_t *cursor = der;
  EVP_PKEY *key = d2i_PUBKEY(NULL, &cursor, (long)length);
  if (key == NULL) {
    cursor = der;
    key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &cursor, (long)length);
  }
  return accept(key, cursor, der + length);
}

atelier_rsa_key *atelier_rsa_generate(int bits) {
  if (bits < 2048 || bits > 8192) return NULL;
  EVP_PKEY *key = EVP_RSA_gen((unsigned int)bits);
  ERR_clear_error();
  return (atelier_rsa_key *)key;
}

void atelier_rsa_free(atelier_rsa_key *key) { EVP_PKEY_free(key_of(key)); }

int atelier_rsa_bits(const atelier_rsa_key *key) { return EVP_PKEY_get_bits(key_of(key)); }

int atelier_rsa_is_sane(const atelier_rsa_key *key) {
  BIGNUM *modulus = NULL;
  BIGNUM *exponent = NULL;
  int sane = EVP_PKEY_get_bn_param(key_of(key), OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
             EVP_PKEY_get_bn_param(key_of(key), OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_odd(modulus) &&
             BN_is_odd(exponent) && !BN_is_one(exponent) && BN_num_bits(exponent) <= 33;
  BN_free(modulus);
  BN_free(exponent);
  ERR_clear_error();
  return sane;
}

static int copy_out(uint8_t *der, int length, uint8_t *out, size_t capacity, size_t *written) {
  int fits = length > 0 && (size_t)length <= capacity;
  if (fits) {
    for (int index = 0; index < length; index++) out[index] = der[index];
    *written = (size_t)length;
  }
  if (length > 0) OPENSSL_clear_free(der, (size_t)length);
  ERR_clear_error();
  return fits;
}

int atelier_rsa_public_der(const atelier_rsa_key *key, uint8_t *out, size_t capacity, size_t *written) {
  uint8_t *der = NULL;
  int length = i2d_PUBKEY(key_of(key), &der);
  return copy_out(der, length, out, capacity, written);
}

int atelier_rsa_private_der(const atelier_rsa_key *key, uint8_t *out, size_t capacity, size_t *written) {
  PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key_of(key));
  if (info == NULL) {
    ERR_clear_error();
    return 0;
  }
  uint8_t *der = NULL;
  int length = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  PKCS8_PRIV_KEY_INFO_free(info);
  return copy_out(der, length, out, capacity, written);
}

int atelier_rsa_sign(const atelier_rsa_key *key, int hash, const uint8_t *message, size_t length, uint8_t *out,
                     size_t capacity, size_t *written) {
  const EVP_MD *digest = digest_of(hash);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  size_t size = capacity;
  // The padding is set by nobody: PKCS#1 v1.5 is what EVP uses for a plain RSA key.
  int done = digest != NULL && context != NULL && (size_t)EVP_PKEY_get_size(key_of(key)) <= capacity &&
             EVP_DigestSignInit(context, NULL, digest, NULL, key_of(key)) == 1 &&
             EVP_DigestSign(context, out, &size, message, length) == 1;
  if (done) *written = size;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return done;
}

int atelier_rsa_verify(const atelier_rsa_key *key, int hash, const uint8_t *message, size_t length,
                       const uint8_t *signature, size_t signature_length) {
  const EVP_MD *digest = digest_of(hash);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int done = digest != NULL && context != NULL &&
             EVP_DigestVerifyInit(context, NULL, digest, NULL, key_of(key)) == 1 &&
             EVP_DigestVerify(context, signature, signature_length, message, length) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return done;
}

int atelier_scrypt(const uint8_t *password, size_t password_length, const uint8_t *salt, size_t salt_length, uint64_t n,
                   uint64_t r, uint64_t p, uint64_t memory, uint8_t *out, size_t out_length) {
  int done = EVP_PBE_scrypt((const char *)password, password_length, salt, salt_length, n, r, p, memory, out,
                            out_length) == 1;
  ERR_clear_error();
  return done;
}

void atelier_cleanse(uint8_t *bytes, size_t length) { OPENSSL_cleanse(bytes, length); }
