import Primitives
import Signatures
import Testing

@Suite struct KeyTests {
  @Test func `an RSA key survives its PEM`() throws {
    let key = try Peer.rsa.get()
    let text = key.publicKey.pem
    #expect(text.hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
    #expect(text.hasSuffix("-----END PUBLIC KEY-----\n"))
    #expect(try RSAPublicKey(pem: text) == key.publicKey)
    #expect(try PublicKey(pem: text) == .rsa(key.publicKey))
    #expect(key.publicKey.bits == 2_048)
    let windows = text.replacing("\n", with: "\r\n") + "\r\n\r\n"
    #expect(try RSAPublicKey(pem: windows) == key.publicKey)
  }

  @Test func `PKCS#1 and SPKI are told apart by content`() throws {
    let pem = try need(vectors("rfc9421")["keys"]?["test-key-rsa"]?["public"]?.string)
    let key = try PublicKey(pem: pem)
    let mislabelled = pem.replacing("RSA PUBLIC KEY", with: "PUBLIC KEY")
    #expect(try PublicKey(pem: mislabelled) == key)
    guard case .rsa(let rsa) = key else { return }
    #expect(try PublicKey(pem: rsa.pem) == key)
  }

  @Test func `an Ed25519 key survives its multibase`() throws {
    let key = try Peer.ed25519.get().publicKey
    #expect(key.multibase.hasPrefix("z6Mk"))
    #expect(try Ed25519PublicKey(multibase: key.multibase) == key)
    #expect(try PublicKey(multibase: key.multibase) == .ed25519(key))
  }

  /// Made with `openssl genpkey`: 512 bits, exponent 1, 16,384 bits, P-256, RSA-PSS.
  @Test(arguments: ["rsa-512", "rsa-1024", "rsa-e1", "rsa-16384", "p256", "rsa-pss"])
  func `tiny and odd keys are unacceptable`(name: String) throws {
    let text = try need(vectors("odd-keys")[name]?.string)
    #expect {
      try PublicKey(pem: text)
    } throws: {
      ($0 as? SignatureFailure)?.code == "key.unacceptable" && ($0 as? SignatureFailure)?.status == 401
    }
  }

  @Test func `what is no key at all is unacceptable`() throws {
    let good = try Peer.rsa.get().publicKey.pem
    for text in [
      "", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", good + good,
      "hello " + good, good.replacing("END PUBLIC", with: "END PRIVATE"), good.replacing("M", with: "\u{e9}"),
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", String(repeating: "A", count: 1 << 20),
      good.replacing("\n-----END", with: "AAAA\n-----END"),
    ] {
      #expect(throws: SignatureFailure.self) { try PublicKey(pem: text) }
      #expect(throws: SignatureFailure.self) { try RSAPrivateKey(pem: text) }
    }
    for text in ["", "z", "z6Mk", "m6Mk", "z" + String(repeating: "1", count: 10_000), "z0OIl", "u7QE"] {
      #expect(throws: SignatureFailure.self) { try PublicKey(multibase: text) }
    }
    for count in [0, 31, 33] {
      #expect(throws: SignatureFailure.self) { try Ed25519PublicKey(bytes: [UInt8](repeating: 1, count: count)) }
      #expect(throws: SignatureFailure.self) { try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: count)) }
    }
    #expect(throws: SignatureFailure.self) { try RSAPrivateKey(generatingBits: 1_024) }
    #expect(throws: SignatureFailure.self) { try RSAPrivateKey(generatingBits: 16_384) }
  }

  @Test func `one key signs for many threads at once`() async throws {
    let key = try Peer.rsa.get()
    let expected = try key.signature(for: [1, 2, 3])
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<20 {
            guard try key.signature(for: [1, 2, 3]) == expected, key.publicKey.isValid(expected, for: [1, 2, 3]) else {
              return false
            }
          }
          return true
        }
      }
      for try await agreed in group { #expect(agreed) }
    }
  }

  @Test func `a sealed key opens for its own id and secret alone`() throws {
    let id = try need(IRI("https://here.example/users/mika#main-key"))
    let other = try need(IRI("https://here.example/users/eve#main-key"))
    let seal = try need(KeySeal(secret: [UInt8](repeating: 7, count: 32)))
    let stranger = try need(KeySeal(secret: [UInt8](repeating: 8, count: 32)))
    for key in [PrivateKey.rsa(try Peer.rsa.get()), .ed25519(try Peer.ed25519.get())] {
      let sealed = try seal.seal(key, for: id, random: countingBytes)
      #expect(try seal.open(sealed, for: id).publicKey == key.publicKey)
      #expect(throws: SignatureFailure.self) { try seal.open(sealed, for: other) }
      #expect(throws: SignatureFailure.self) { try stranger.open(sealed, for: id) }
      for index in stride(from: 0, to: sealed.count, by: 37) {
        var broken = sealed
        broken[index] ^= 1
        #expect(throws: SignatureFailure.self) { try seal.open(broken, for: id) }
      }
      for length in [0, 1, 12, 28, sealed.count - 1] {
        #expect(throws: SignatureFailure.self) { try seal.open(Array(sealed.prefix(length)), for: id) }
      }
    }
    #expect(KeySeal(secret: [1, 2, 3]) == nil)
  }
}

@Suite struct PasswordHashTests {
  /// The third vector of RFC 7914 §12: N = 16,384, r = 8, p = 1.
  @Test func `scrypt agrees with RFC 7914`() throws {
    let hash = try need(
      Hex.decode(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"))
    let salt = Base64.encode(Array("SodiumChloride".utf8)).prefix { $0 != "=" }
    let text = "$scrypt$ln=14,r=8,p=1$\(salt)$\(Base64.encode(hash).prefix { $0 != "=" })"
    let stored = try need(PasswordHash(text))
    #expect(stored.matches("pleaseletmein"))
    #expect(!stored.matches("pleaseletmeim"))
    #expect(stored.isOutdated)
    #expect(stored.description == text)
  }

  @Test func `a password matches its own hash and nothing else`() throws {
    let cost = try need(PasswordHash.Cost(checkedLogN: 4, r: 8, p: 1))
    let hash = try need(PasswordHash(of: "corr\u{e8}ct horse", cost: cost, random: countingBytes))
    #expect(hash.matches("corr\u{e8}ct horse"))
    #expect(!hash.matches("correct horse"))
    #expect(!hash.matches(""))
    #expect(PasswordHash(hash.description) == hash)
    #expect(PasswordHash(of: String(repeating: "x", count: 2_000), cost: cost, random: countingBytes) == nil)
  }

  @Test func `the standard cost is the one decided`() throws {
    let hash = try need(PasswordHash(of: "secret", random: countingBytes))
    #expect(hash.description.hasPrefix("$scrypt$ln=17,r=8,p=1$"))
    #expect(hash.matches("secret"))
    #expect(!hash.isOutdated)
  }

  @Test(arguments: [
    "", "$", "$scrypt$", "$scrypt$ln=17,r=8,p=1$$", "$scrypt$ln=63,r=8,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=17,r=99,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=,r=8,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$r=8,ln=17,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$2b$12$abcdefghijklmnopqrstuv", "scrypt",
  ])
  func `what is no such hash is not read`(text: String) { #expect(PasswordHash(text) == nil) }
}
