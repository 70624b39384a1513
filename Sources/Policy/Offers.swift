import Primitives

/// One line of `/.well-known/tdmrep.json`. The first match counts, so the specific come first.
package struct TDMRule: Hashable, Sendable {
  /// A path pattern of the TDMRep report, such as `/@mika/*`.
  package var location: String
  package var policy: UsagePolicy
  package var offer: IRI?

  package init(location: String, policy: UsagePolicy, offer: IRI? = nil) {
    self.location = location
    self.policy = policy
    self.offer = offer
  }
}

/// The body of `/.well-known/tdmrep.json`. Policies that say nothing about mining are left out.
package func tdmrep(_ rules: some Sequence<TDMRule>) -> JSON {
  .array(
    rules.compactMap { rule in
      guard let isReserved = OutgoingSignals(rule.policy).tdmReservation else { return nil }
      return .members([
        "location": .string(rule.location), "tdm-reservation": .integer(isReserved ? 1 : 0),
        "tdm-policy": isReserved ? rule.offer.map { .string($0.text) } : nil,
      ])
    })
}

/// Whom to ask.
package struct Assigner: Hashable, Sendable {
  package var id: IRI
  package var name: String
  package var page: IRI

  package init(id: IRI, name: String, page: IRI) {
    self.id = id
    self.name = name
    self.page = page
  }
}

/// The ODRL offer of the TDMRep profile: what `tdm-policy` leads to. The profile knows no prohibitions, so a reserved
/// use is offered against consent. A condition other than research is not expressible and also asks for consent.
package func tdmOffer(for policy: UsagePolicy, at uid: IRI, by assigner: Assigner) -> JSON {
  let consent: JSON = .members(["action": "obtainConsent"])
  func permission(purpose: String?, duty: JSON?) -> JSON {
    .members([
      "action": "tdm:mine",
      "duty": duty.map { .array([$0]) },
      "constraint": purpose.map {
        .array([.members(["leftOperand": "purpose", "operator": "eq", "rightOperand": .members(["@id": .string($0)])])])
      },
    ])
  }
  let isReserved = OutgoingSignals(policy).tdmReservation ?? true
  let forbidsNothing = SignalTable.artificialIntelligence.allSatisfy { policy[$0] != nil && policy[$0] != .disallow }
  let permitsResearch = forbidsNothing && policy.constraintInfo == UsagePolicy.researchCondition
  let permissions: [JSON] =
    if !isReserved {
      [permission(purpose: nil, duty: nil)]
    } else if permitsResearch {
      [
        permission(purpose: "tdm:research", duty: nil), permission(purpose: "tdm:non-research", duty: consent),
      ]
    } else {
      [permission(purpose: nil, duty: consent)]
    }
  return .members([
    "@context": ["http://www.w3.org/ns/odrl.jsonld", "http://www.w3.org/ns/tdmrep.jsonld"],
    "@type": "Offer",
    "profile": "http://www.w3.org/ns/tdmrep",
    "uid": .string(uid.text),
    "assigner": .members([
      "uid": .string(assigner.id.text), "vcard:fn": .string(assigner.name),
      "vcard:hasURL": .string(assigner.page.text),
    ]),
    "permission": .array(permissions),
  ])
}

/// An RSL 1.0 document, one `content` element for each path; type `application/rsl+xml`.
package func rslDocument(_ contents: some Sequence<(path: String, policy: UsagePolicy)>) -> String {
  var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rsl xmlns=\"https://rslstandard.org/rsl\">\n"
  for (path, policy) in contents {
    let terms = OutgoingSignals(policy).rsl
    if terms.permits.isEmpty && terms.prohibits.isEmpty { continue }
    text += "  <content url=\"\(escaped(path))\">\n    <license>\n"
    if !terms.permits.isEmpty {
      text += "      <permits type=\"usage\">\(terms.permits.joined(separator: " "))</permits>\n"
    }
    if !terms.prohibits.isEmpty {
      text += "      <prohibits type=\"usage\">\(terms.prohibits.joined(separator: " "))</prohibits>\n"
    }
    if let page = terms.terms { text += "      <terms>\(escaped(page.text))</terms>\n" }
    text += "    </license>\n  </content>\n"
  }
  return text + "</rsl>\n"
}

/// The body of `/ai.txt`: rules for file types. Empty when the policy says nothing about training.
package func aiText(for policy: UsagePolicy) -> String {
  guard let isAllowed = OutgoingSignals(policy).aiTxtAllows else { return "" }
  let verb = isAllowed ? "Allow" : "Disallow"
  let types = [
    "avif", "bmp", "gif", "ico", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp", "htm", "html", "txt", "xml",
  ]
  return (["User-Agent: *"] + types.map { "\(verb): *.\($0)" }).joined(separator: "\n") + "\n"
}

private func escaped(_ text: String) -> String {
  var result = ""
  for character in text {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    default: result.append(character)
    }
  }
  return result
}
