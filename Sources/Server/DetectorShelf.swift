import Forensics
import Foundation
import Primitives

/// The detector models of one instance: files of its home folder, the one that ships with the program, and which of
/// them is asked.
package struct DetectorShelf: Sendable {
  package struct Entry: Sendable {
    package let name: String
    package let model: Result<DetectorModel, ModelFailure>
    package let isActive: Bool
    /// Why it should not be used, from the training or calibration that made it.
    package let reasons: [String]
  }

  package struct Active: Sendable {
    package let name: String
    package let model: DetectorModel
    /// What the workers are given; nil for the model that they have anyway.
    package let bytes: [UInt8]?
    /// Why the model that should be active is not.
    package let warning: String?
  }

  package static let shippedName = "shipped"

  package let folder: String

  package init(home: String) { folder = home + "/detectors" }

  /// Letters, digits, dot, dash and underscore, not first a dot: the name becomes part of a path.
  package static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, first != UInt8(ascii: "."), text.utf8.count <= 64 else { return false }
    return text.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
    }
  }

  package func path(_ name: String) -> String { "\(folder)/\(name).aidet" }
  private func reportPath(_ name: String) -> String { "\(folder)/\(name).json" }
  private var pointerPath: String { folder + "/active.json" }

  package func bytes(_ name: String) throws(ModelFailure) -> [UInt8] {
    guard Self.isName(name) else { throw .name(name) }
    return try Self.bytes(at: path(name))
  }

  /// Never more than a model may have.
  package static func bytes(at path: String) throws(ModelFailure) -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path) else { throw .missing(path) }
    do {
      let data = try file.read(upToCount: Limits.modelFile + 1) ?? Data()
      try file.close()
      guard data.count <= Limits.modelFile else { throw ModelFailure.tooLarge }
      return Array(data)
    } catch let failure as ModelFailure {
      throw failure
    } catch {
      throw .missing(path)
    }
  }

  package func model(_ name: String) throws(ModelFailure) -> DetectorModel {
    name == Self.shippedName ? try DetectorModel.shipped() : try DetectorModel(reading: bytes(name))
  }

  /// The one that ships first, then by name.
  package func entries() -> [Entry] {
    let active = active()?.name
    let files = (FileManager.default.subpaths(atPath: folder) ?? []).filter { $0.hasSuffix(".aidet") }
    let names = files.map { String($0.dropLast(6)) }.filter(Self.isName).sorted()
    return ([Self.shippedName] + names).map { name in
      Entry(
        name: name, model: Result { () throws(ModelFailure) in try model(name) }, isActive: name == active,
        reasons: reasons(name))
    }
  }

  /// What is asked. A model that can not be read is replaced by the one that ships; nil when that is missing too.
  package func active() -> Active? {
    let pointer = pointer
    let wanted = pointer.active
    var warning =
      pointer.isDamaged
      ? "\(pointerPath) is damaged and does not say which detector is active, so the one that ships is asked." : nil
    if wanted != Self.shippedName {
      do {
        let bytes = try bytes(wanted)
        return Active(name: wanted, model: try DetectorModel(reading: bytes), bytes: bytes, warning: nil)
      } catch {
        warning =
          "The active detector \"\(wanted)\" can not be used, so the one that ships is asked instead: \(error.text)"
      }
    }
    do {
      return Active(name: Self.shippedName, model: try DetectorModel.shipped(), bytes: nil, warning: warning)
    } catch {
      return nil
    }
  }

  /// Why a model should not be used; empty when nothing speaks against it or nothing is known.
  package func reasons(_ name: String) -> [String] {
    guard Self.isName(name), FileManager.default.fileExists(atPath: reportPath(name)) else { return [] }
    guard let report = report(name) else { return ["The report beside the model can not be read."] }
    return report["reasons"]?.array?.compactMap(\.string) ?? []
  }

  /// The first eight bytes of the digests of the pictures a model learned from, as hexadecimal text: its scores of
  /// those say nothing. Empty where that is not known.
  package func learned(_ name: String) -> Set<String> {
    Set(report(name)?["learned_from"]?.array?.compactMap(\.string) ?? [])
  }

  private func report(_ name: String) -> JSON? {
    guard Self.isName(name), let data = FileManager.default.contents(atPath: reportPath(name)),
      data.count <= Limits.modelFile
    else { return nil }
    do { return try JSON(parsing: data) } catch { return nil }
  }

  // MARK: Changing

  /// Puts a new model on the shelf with the report of how it was made. A name that is taken is refused.
  package func add(_ name: String, _ bytes: [UInt8], report: JSON) throws(ModelFailure) {
    try requireFree(name)
    do {
      let before = umask(0o077)
      defer { umask(before) }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      // The report first: a model without its reasons could be activated against them.
      try Data(report.bytes).write(to: URL(fileURLWithPath: reportPath(name)), options: .atomic)
      try Data(bytes).write(to: URL(fileURLWithPath: path(name)), options: .atomic)
    } catch {
      throw .unwritable(folder)
    }
  }

  package func requireFree(_ name: String) throws(ModelFailure) {
    guard Self.isName(name), name != "active" else { throw .name(name) }
    guard name != Self.shippedName, !FileManager.default.fileExists(atPath: path(name)) else { throw .taken(name) }
  }

  /// A name that is free: the wanted one, or with a number behind it.
  package func freeName(_ wanted: String) -> String {
    var name = wanted
    var number = 1
    while FileManager.default.fileExists(atPath: path(name)) || name == Self.shippedName || name == "active" {
      number += 1
      name = "\(wanted)-\(number)"
    }
    return name
  }

  /// Makes a model the one that is asked, from the next start of the server on.
  package func activate(_ name: String) throws(ModelFailure) {
    _ = try model(name)
    let old = pointer
    guard old.active != name || old.isDamaged else { return }
    try set(active: name, previous: [old.active] + old.previous)
  }

  /// Back to what was active before; returns its name.
  package func rollBack() throws(ModelFailure) -> String {
    let old = pointer
    guard let last = old.previous.first else { throw .nothingBefore }
    // The way back to the program as it came is never barred.
    if last != Self.shippedName { _ = try model(last) }
    try set(active: last, previous: Array(old.previous.dropFirst()))
    return last
  }

  /// Without a file the one that ships is active.
  private var pointer: (active: String, previous: [String], isDamaged: Bool) {
    guard FileManager.default.fileExists(atPath: pointerPath) else { return (Self.shippedName, [], false) }
    do {
      guard let data = FileManager.default.contents(atPath: pointerPath), data.count <= Limits.modelHeader,
        let document = try Optional(JSON(parsing: data)), let active = document["active"]?.string
      else { return (Self.shippedName, [], true) }
      let previous = document["previous"]?.array?.compactMap(\.string).filter(Self.isName) ?? []
      return (active, previous, false)
    } catch {
      return (Self.shippedName, [], true)
    }
  }

  private func set(active: String, previous: [String]) throws(ModelFailure) {
    let document: JSON = ["active": .string(active), "previous": .array(previous.prefix(20).map { .string($0) })]
    do {
      let before = umask(0o077)
      defer { umask(before) }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(document.bytes).write(to: URL(fileURLWithPath: pointerPath), options: .atomic)
    } catch {
      throw .unwritable(folder)
    }
  }
}

extension SettingsSources {
  /// The folder of the instance, for commands that need nothing else.
  package var home: String? { value("home") }
}

extension ModelFailure {
  package static func name(_ text: String) -> ModelFailure {
    ModelFailure(
      code: "model.name",
      text: "\"\(text.prefix(64))\" is no name of a detector: letters, digits, dot, dash and underscore, at most 64.")
  }
  package static func missing(_ path: String) -> ModelFailure {
    ModelFailure(code: "model.missing", text: "\(path) can not be read.")
  }
  package static func taken(_ name: String) -> ModelFailure {
    ModelFailure(code: "model.taken", text: "There is a detector \"\(name)\" already; choose another name.")
  }
  package static func unwritable(_ folder: String) -> ModelFailure {
    ModelFailure(code: "model.unwritable", text: "\(folder) can not be written to; nothing was changed.")
  }
  package static let nothingBefore = ModelFailure(
    code: "model.nothing_before", text: "No other detector was active before this one.")
}
