import Crypto
import Primitives
import Testing

@testable import Signatures

/// The published examples, byte for byte.
@Suite struct `Push encryption` {
  private func bytes(_ text: String) throws -> [UInt8] { try #require(Base64.decodeURL(text)) }

  @Test func `gives the message of RFC 8291 Appendix A`() throws {
    let receiver = try #require(
      PushReceiver(
        publicKey: try bytes(
          "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        secret: try bytes("BTBZMqHH6r4Tts7J_aSIgg")))
    let ephemeral = try PushEncryption.Ephemeral(
      key: try bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), salt: try bytes("DGv6ra1nlYgDCS1FRnbzlw"))
    let sealed = try PushEncryption.aes128gcm(
      Array("When I grow up, I want to be a watermelon".utf8), to: receiver, ephemeral)
    #expect(
      Base64.encodeURL(sealed) == """
        DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl\
        7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN
        """)
  }

  @Test func `gives the record of RFC 8188 section 3.1`() throws {
    let sealed = try PushEncryption.record(
      Array("I am the walrus".utf8), material: try bytes("yqdlZ-tYemfogSmv7Ws5PQ"),
      salt: try bytes("I1BsxtFttlv3u_Oo94xnmw"), keyID: [])
    #expect(Base64.encodeURL(sealed) == "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg")
  }

  @Test func `gives the message of draft-ietf-webpush-encryption-04 section 5`() throws {
    let receiver = try #require(
      PushReceiver(
        publicKey: try bytes(
          "BCEkBjzL8Z3C-oi2Q7oE5t2Np-p7osjGLg93qUP0wvqRT21EEWyf0cQDQcakQMqz4hQKYOQ3il2nNZct4HgAUQU"),
        secret: try bytes("R29vIGdvbyBnJyBqb29iIQ")))
    let ephemeral = try PushEncryption.Ephemeral(
      key: try bytes("nCScek-QpEjmOOlT-rQ38nZzvdPlqa00Zy0i6m2OJvY"), salt: try bytes("lngarbyKfMoi9Z75xYXmkg"))
    let sealed = try PushEncryption.aesgcm(Array("I am the walrus".utf8), to: receiver, ephemeral)
    #expect(Base64.encodeURL(sealed.body) == "6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA")
    #expect(
      sealed.senderKey == "BNoRDbb84JGm8g5Z5CFxurSqsXWJ11ItfXEWYVLE85Y7CYkDjXsIEc4aqxYaQ1G8BqkXCJ6DPpDrWtdWj_mugHU")
  }

  @Test func `refuses keys that are none`() {
    let point = [UInt8](repeating: 4, count: 65)
    #expect(PushReceiver(publicKey: point, secret: [UInt8](repeating: 0, count: 16)) == nil)
    #expect(PushReceiver(publicKey: [], secret: []) == nil)
  }

  @Test func `signs a token that its public key verifies, for the origin it goes to`() throws {
    let key = try PushServerKey(generatingWith: countingBytes)
    let endpoint = try #require(IRI("https://push.test:8443/send/abc?x=1"))
    let now = Timestamp(secondsSince1970: 1_800_000_000)
    let token = try key.token(for: endpoint, contact: "https://paper.test", at: now)
    let parts = token.split(separator: ".").map(String.init)
    let claims = try JSON(parsing: try bytes(parts[1]))
    #expect(claims["aud"] == "https://push.test:8443" && claims["sub"] == "https://paper.test")
    #expect(claims["exp"]?.integer == 1_800_043_200)
    let publicKey = try P256.Signing.PublicKey(x963Representation: try bytes(key.publicKey))
    let signature = try P256.Signing.ECDSASignature(rawRepresentation: try bytes(parts[2]))
    #expect(publicKey.isValidSignature(signature, for: Array("\(parts[0]).\(parts[1])".utf8)))
    #expect(try PushServerKey(bytes: key.bytes).publicKey == key.publicKey)
  }
}
