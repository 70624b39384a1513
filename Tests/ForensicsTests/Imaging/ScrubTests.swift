import Forensics
import Primitives
import Testing

@Suite struct ScrubTests {
  static let rights = Rights(
    creator: "Ada & Co <x>", credit: "Collective", copyright: "© 2026 Ada", usageTerms: "Ask first",
    dataMining: "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED",
    digitalSourceType: "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation", altText: "A heron")

  @Test(arguments: [ImageFormat.jpeg, .png, .webp]) func `the rights block is read back from every container`(
    format: ImageFormat
  ) throws {
    let plain = try Drawing.picture(width: 40, height: 30).encoded(as: format, quality: 80)
    let written = try Scrub.rewrite(plain, format: format, rights: Self.rights)
    let found = Rights(found: try EmbeddedMetadata(reading: written))
    #expect(found == Self.rights)
    _ = try Picture.decode(written, as: format)
  }

  @Test func `places, serial numbers, comments and trailers go; profile, manifest and picture stay`() throws {
    let profile = try Drawing.builtInProfile("p3")
    let source = try Drawing.encode(width: 64, height: 48, bands: 3, bits: 8, format: 1, profile: "p3")
    let manifest: [UInt8] = Array("JP".utf8) + [0, 1, 0, 0, 0, 1] + [0, 0, 0, 12] + Array("jumbabcd".utf8)
    let jumbf = [0xFF, 0xEB] + Scrub.big16(manifest.count + 2) + manifest
    let comment: [UInt8] = [0xFF, 0xFE, 0, 8] + Array("secret".utf8)
    let extras = Drawing.withExif(source.prefix(2) + jumbf + comment + source.dropFirst(2), orientation: 6)
    let out = try Scrub.rewrite(
      extras + Array("PK zip behind".utf8), format: .jpeg, orientation: 6, rights: Self.rights)
    for word in ["SERIAL-77", "secret", "PK zip", "Ada\0"] {
      #expect(out[...].offset(of: word.utf8) == nil, "\(word)")
    }
    let metadata = try EmbeddedMetadata(reading: out)
    #expect(metadata.exif?.hasLocation == false)
    #expect(metadata.exif?.hasSerialNumber == false)
    #expect(metadata.exif?.orientation == 6)
    #expect(metadata.icc == profile)
    #expect(out[...].offset(of: jumbf) != nil)
    let before = try Picture.decode(source, as: .jpeg).withSamples { Array($0) }
    let after = try Picture.decode(out, as: .jpeg).withSamples { Array($0) }
    #expect(before == after)
  }

  @Test func `a text chunk and a manifest in a PNG are told apart`() throws {
    let plain = try Drawing.picture(width: 20, height: 20).encoded(as: .png, quality: 1)
    let extra =
      Scrub.pngChunk("tEXt", Array("parameters\0masterpiece".utf8)) + Scrub.pngChunk("caBX", Array("manifest".utf8))
    let out = try Scrub.rewrite(plain.prefix(33) + extra + plain.dropFirst(33), format: .png)
    #expect(out[...].offset(of: "masterpiece".utf8) == nil)
    #expect(out[...].offset(of: "manifest".utf8) != nil)
  }

  @Test func `a simple WebP becomes an extended one of the same size with the flags of its chunks`() throws {
    for bands in [3, 4] {
      let plain = try Drawing.picture(width: 33, height: 21, bands: bands).encoded(as: .webp, quality: 80)
      let out = try Scrub.rewrite(plain, format: .webp, orientation: 3, rights: Self.rights)
      let header = try ImageHeader(reading: out)
      #expect(header.width == 33 && header.height == 21)
      #expect(out[...].hasPrefix("VP8X", at: 12))
      #expect(out[20] & 0x0C == 0x0C)
      let picture = try Picture.decode(out, as: .webp)
      #expect(picture.bands == bands)
    }
  }

  @Test func `a field is cut at its limit and control characters are left out`() throws {
    let packet = try #require(Rights(creator: String(repeating: "é\u{1}", count: 9_000)).xmpPacket)
    #expect(packet.count < Limits.rightsField + 1_500)
    #expect(XMPPacket(reading: packet).value(XMPNamespace.dublinCore, "creator")?.isEmpty == false)
  }

  @Test func `cut and mutated files end in a refusal or a file, never in a trap`() throws {
    var chance = SplitMix(seed: 7)
    for format in [ImageFormat.jpeg, .png, .webp] {
      let plain = Array(try Drawing.picture(width: 24, height: 24).encoded(as: format, quality: 70))
      for round in 0..<400 {
        var bytes = plain
        for _ in 0...(round % 5) { bytes[chance.below(bytes.count)] = UInt8(chance.below(256)) }
        if round % 3 == 0 { bytes = Array(bytes.prefix(chance.below(bytes.count))) }
        do { _ = try Scrub.rewrite(bytes, format: format, rights: Self.rights) } catch {}
      }
    }
  }
}

extension SplitMix {
  mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }
}
