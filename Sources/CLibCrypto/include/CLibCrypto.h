#pragma once

#include <stddef.h>
#include <stdint.h>

// RSA and scrypt of OpenSSL 3, without one of its types. Every function is safe to call from any thread, and a key may
// be used from many at once: after parsing nothing writes to it. Functions answer 1 for success and 0 for failure.

typedef struct atelier_rsa_key atelier_rsa_key;

/// Reads one RSA private key (PKCS#1 or unencrypted PKCS#8) that fills `der` exactly; NULL for anything else.
atelier_rsa_key *atelier_rsa_private_key(const uint8_t *der, size_t length);

/// Reads one RSA public key (SPKI or PKCS#1) that fills `der` exactly; NULL for anything else.
atelier_rsa_key *atelier_rsa_public_key(const uint8_t *der, size_t length);

/// A new private key with the exponent 65537; NULL when the generator fails.
atelier_rsa_key *atelier_rsa_generate(int bits);

void atelier_rsa_free(atelier_rsa_key *key);

/// Size of the modulus in bits.
int atelier_rsa_bits(const atelier_rsa_key *key);

/// Whether the modulus is odd and the exponent is odd, at least 3 and at most 33 bits long.
int atelier_rsa_is_sane(const atelier_rsa_key *key);

/// Writes SPKI DER into `out`, at most `capacity` bytes, and its length into `written`.
int atelier_rsa_public_der(const atelier_rsa_key *key, uint8_t *out, size_t capacity, size_t *written);

/// Writes PKCS#8 DER into `out`, at most `capacity` bytes, and its length into `written`.
int atelier_rsa_private_der(const atelier_rsa_key *key, uint8_t *out, size_t capacity, size_t *written);

/// RSASSA-PKCS1-v1_5 over SHA-256 (`hash` 256) or SHA-512 (`hash` 512).
int atelier_rsa_sign(const atelier_rsa_key *key, int hash, const uint8_t *message, size_t length, uint8_t *out,
                     size_t capacity, size_t *written);

int atelier_rsa_verify(const atelier_rsa_key *key, int hash, const uint8_t *message, size_t length,
                       const uint8_t *signature, size_t signature_length);

/// scrypt of RFC 7914. `memory` is the most the function may allocate, in bytes.
int atelier_scrypt(const uint8_t *password, size_t password_length, const uint8_t *salt, size_t salt_length, uint64_t n,
                   uint64_t r, uint64_t p, uint64_t memory, uint8_t *out, size_t out_length);

/// Overwrites memory in a way the optimizer may not drop.
void atelier_cleanse(uint8_t *bytes, size_t length);
