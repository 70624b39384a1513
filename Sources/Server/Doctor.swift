import Forensics
import Foundation
import Media
import Model
import Persistence
import Primitives
import Store
import Transport

/// One finding of a check-up: what is the case, and what to do about it.
package struct Finding: Hashable, Sendable {
  package enum Grade: String, Hashable, Sendable { case good, note, bad }
  package let grade: Grade
  package let text: String
  package let remedy: String?
  package init(_ grade: Grade, _ text: String, remedy: String? = nil) {
    self.grade = grade
    self.text = text
    self.remedy = remedy
  }
}

extension Services {
  /// What an operator should know before or after a start. Changes nothing.
  package func examine() async -> [Finding] {
    var findings = [standing, privateNetworks, space].compactMap { $0 } + scoring
    findings.append(await worker())
    findings.append(detector)
    findings += await queues()
    findings += await damage()
    return findings
  }

  private var standing: Finding? {
    guard instance.isTrial else { return Finding(.good, "The instance is \(instance.base), and it federates.") }
    return Finding(
      .note, "This is a trial on \(instance.base): it does not federate, and its database stays a trial for ever.",
      remedy: "For a real instance use https:// with your own name as instance.base_url, and another home folder.")
  }

  /// Announced at every start too: it opens the network behind the server to whoever can name an address.
  package var privateNetworks: Finding? {
    guard !settings.allowedPrivateNetworks.isEmpty else { return nil }
    let list = settings.allowedPrivateNetworks.map(\.description).joined(separator: ", ")
    return Finding(
      .note, "Requests to the private networks \(list) are allowed. Other servers can make this one reach them.",
      remedy: "Leave federation.allowed_private_networks empty unless this is a test bench.")
  }

  /// Who gives scores here, and what leaves the instance for it.
  private var scoring: [Finding] {
    var findings: [Finding] = []
    if let notice = detectorNotice {
      findings.append(
        Finding(.note, notice, remedy: "Leave detector.http.url empty unless your artists agreed to this."))
    }
    findings += media.detectors.filter { !$0.isCalibrated }.map { outside in
      Finding(
        .note, "The detector \(outside.detector.name) is not calibrated, so it is not asked and has no opinion.",
        remedy: "Run `atelier detector calibrate --detector \(outside.detector.name) --human DIR`, then restart.")
    }
    return findings
  }

  private var space: Finding? {
    do {
      let attributes = try FileManager.default.attributesOfFileSystem(forPath: settings.home)
      let free = (attributes[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
      let gigabytes = Double(free) / 1e9
      let text = "\(settings.home) has \(String(format: "%.1f", gigabytes)) GB free."
      return gigabytes < 2
        ? Finding(.bad, text, remedy: "Free some space, or move the home folder to a larger disk.")
        : Finding(.good, text)
    } catch {
      return Finding(.bad, "The home folder \(settings.home) can not be examined.")
    }
  }

  /// Starts a worker and lets it try to break out.
  private func worker() async -> Finding {
    do {
      let proof = try await media.workers.proveSandbox()
      return proof.isTight
        ? Finding(.good, "Pictures are opened by libvips in processes that can reach neither files nor network.")
        : Finding(
          .bad, "The processes that open pictures are not locked down as they should be.",
          remedy: "Run on Linux 5.10 or later, without a container that forbids seccomp filters.")
    } catch let refusal as MediaRefusal {
      return Finding(
        .bad, "No picture can be opened: \(refusal.text)", remedy: ImagingLibrary.installLine)
    } catch {
      return Finding(.bad, "The process that opens pictures does not start: \(error)")
    }
  }

  private var detector: Finding {
    guard let active = DetectorShelf(home: settings.home).active() else {
      return Finding(.note, "No detector looks at pixels; evidence in the files is found all the same.")
    }
    let basis = active.model.calibration
    let text = """
      Pixels are judged by the detector \(active.name) (\(active.model.card.detector)), measured against \
      \(basis.images) human pictures of \(basis.sources) sources.
      """
    guard let warning = active.warning else { return Finding(.good, text) }
    return Finding(
      .bad, "\(warning) \(text)",
      remedy: "See `atelier detector list`, then `atelier detector rollback` or `activate`.")
  }

  private func queues() async -> [Finding] {
    do {
      let pause = try await database.read { try $0.deliveryPause() }
      let (jobs, deliveries) = try await database.read { (try $0.jobCounts(), try $0.deliveryCounts()) }
      var findings: [Finding] = []
      let stuck = jobs.filter { $0.state == "quarantined" }.map(\.count).reduce(0, +)
      if stuck > 0 {
        findings.append(
          Finding(
            .bad, "\(stuck) jobs were put aside because they failed again and again.",
            remedy: "Look for \"quarantined\" in the log, and report what it says."))
      }
      let waiting = deliveries.filter { $0.state == "waiting" }.map(\.count).reduce(0, +)
      let expired = deliveries.filter { $0.state == "expired" }.map(\.count).reduce(0, +)
      if let pause {
        let why = pause.reason == .restored ? "this instance was restored from a backup" : "an admin asked for it"
        findings.append(
          Finding(
            .note, "Nothing is delivered to other servers since \(pause.since.iso8601Seconds), because \(why).",
            remedy: "Look around, then run: atelier resume"))
      }
      findings.append(Finding(.good, "\(waiting) deliveries wait, \(expired) expired unreached."))
      return findings
    } catch {
      return [Finding(.bad, "The queues can not be read: \(error)")]
    }
  }

  private func damage() async -> [Finding] {
    do {
      let damage = try await database.findDamage()
      return damage.isEmpty
        ? [Finding(.good, "The database is whole.")]
        : damage.map { Finding(.bad, "The database is damaged: \($0)", remedy: "Restore the last backup.") }
    } catch {
      return [Finding(.bad, "The database can not be checked: \(error)")]
    }
  }
}
