import ArgumentParser
import Forensics
import Foundation
import Media
import Primitives
import Server

/// Where the detectors of an instance live. No address is needed: nothing here opens the database.
struct DetectorOptions: ParsableArguments {
  @Option(help: "The settings file (TOML).") var config: String?
  @Option(help: "The folder of the instance; its detectors are kept in it.") var home: String?

  func shelf() throws -> DetectorShelf {
    guard let shelf = try shelfIfAny() else {
      throw Complaint(
        "[detector.no_home] Say where the instance lives: --home, or ATELIER_HOME, or \"home\" in the settings file.")
    }
    return shelf
  }

  private func sources() throws -> SettingsSources {
    var sources = SettingsSources(flags: [:], environment: ProcessInfo.processInfo.environment)
    if let home { sources.flags["home"] = home }
    if let file = config ?? sources.environment["ATELIER_CONFIG"] {
      do { try sources.read(file: file) } catch { throw Complaint("[detector.settings] \(error)") }
    }
    return sources
  }

  /// With everything a server needs, for a detector that only the settings know.
  func fullSettings() throws -> Settings {
    do {
      return try Settings(reading: sources())
    } catch {
      throw Complaint("[detector.settings] These settings can not be used:\n\(error)")
    }
  }

  func shelfIfAny() throws -> DetectorShelf? {
    let sources = try sources()
    guard let home = sources.home, !home.isEmpty else { return nil }
    guard home.hasPrefix("/") else {
      throw Complaint("[detector.no_home] The home must be the absolute path of a folder, such as /var/lib/atelier.")
    }
    return DetectorShelf(home: home)
  }
}

/// A model with the name people know it by.
struct NamedModel: Sendable {
  let name: String
  let model: DetectorModel
}

extension DetectorShelf? {
  /// A name on the shelf, a path of a model file, or, without either, the active one.
  func find(_ wanted: String?) throws -> NamedModel {
    do {
      if let wanted {
        if wanted.contains("/") || wanted.hasSuffix(".aidet") {
          return NamedModel(name: wanted, model: try DetectorModel(reading: DetectorShelf.bytes(at: wanted)))
        }
        let shelf = self ?? DetectorShelf(home: "")
        return NamedModel(name: wanted, model: try shelf.model(wanted))
      }
      guard let active = self?.active() else {
        return NamedModel(name: DetectorShelf.shippedName, model: try DetectorModel.shipped())
      }
      if let warning = active.warning { printError("Warning: \(warning)") }
      return NamedModel(name: active.name, model: active.model)
    } catch {
      throw Complaint("[\(error.code)] \(error.text)")
    }
  }
}

/// Runs `body`, and says failures of models and of pictures as one sentence with its code.
func complaining<T>(_ body: () async throws -> T) async throws -> T {
  do {
    return try await body()
  } catch let failure as ModelFailure {
    throw Complaint("[\(failure.code)] \(failure.text)")
  } catch let refusal as MediaRefusal {
    throw Complaint("[\(refusal.code)] \(refusal.text)")
  }
}
