import Foundation

/// A picture file of known origin.
struct PictureFile: Hashable, Sendable {
  var path: String
  /// The artist, or the collection of generated pictures: pictures of one source resemble each other.
  var source: String
  /// The generator, or the kind of human work.
  var kind: String
  var isGenerated: Bool
}

/// Pictures in folders: `FOLDER/SOURCE/…`, or `FOLDER/KIND/SOURCE/…` where kinds are wanted and there is a second level.
struct PictureFolder {
  private(set) var files: [PictureFile] = []
  /// Files that lie in no folder of their own.
  private(set) var loose = 0

  init(_ path: String, isGenerated: Bool, hasKinds: Bool = false) throws {
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Complaint("[detector.no_folder] There is no folder \(path).")
    }
    guard isFolder.boolValue else { throw Complaint("[detector.no_folder] \(path) is a file, not a folder.") }
    var found: [PictureFile] = []
    var loose = 0
    PictureFolder.walk(path, []) { file, names in
      guard let first = names.first else {
        loose += 1
        // Generated pictures need no source; those of people do, for every artist is judged alone.
        if isGenerated { found.append(PictureFile(path: file, source: "-", kind: "-", isGenerated: true)) }
        return
      }
      let source = hasKinds && names.count > 1 ? first + "/" + names[1] : first
      found.append(PictureFile(path: file, source: source, kind: first, isGenerated: isGenerated))
    }
    files = found
    self.loose = isGenerated ? 0 : loose
    if files.isEmpty {
      throw Complaint(
        isGenerated
          ? "[detector.empty] There are no pictures in \(path)."
          : """
          [detector.empty] There are no pictures in \(path). It must hold a folder for each artist, with the pictures \
          of that artist in it\(loose > 0 ? "; \(loose) files lie outside of any folder" : "").
          """)
    }
  }

  /// In the order of names, so that two runs give the same. Follows links to files and folders; the depth is bounded
  /// because links may lead in circles.
  private static func walk(_ folder: String, _ names: [String], _ visit: (_ file: String, _ names: [String]) -> Void) {
    guard names.count < 8 else { return }
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      printError("\(folder) can not be read and is left out.")
      return
    }
    for entry in entries where !entry.hasPrefix(".") {
      let path = folder + "/" + entry
      var isFolder = ObjCBool(false)
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue { walk(path, names + [entry], visit) } else { visit(path, names) }
    }
  }
}
