import Primitives

extension Actor {
  /// Without `@context`; `document` has it.
  ///
  /// `publicKey` is one object, the first: Misskey throws on a list. Further keys are assertion methods.
  package var json: JSON {
    var out = identity
    for part in [signals, relations] {
      for (key, value) in part.members { out[key] = value }
    }
    return out
  }

  package var document: JSON { Context.document(json, Context.actor) }

  private var identity: JSON {
    JSON.members([
      "id": .string(id.text), "type": .string(kind.rawValue),
      "preferredUsername": preferredUsername.map { .string($0) },
      "name": name.map { .string($0) }, "summary": summary.map { .string($0) }, "url": Actor.text(url),
      "inbox": Actor.text(inbox), "outbox": Actor.text(outbox), "followers": Actor.text(followers),
      "following": Actor.text(following), "featured": Actor.text(featured), "featuredTags": Actor.text(featuredTags),
      "endpoints": sharedInbox.map { ["sharedInbox": .string($0.text)] },
      "published": published.map { .string($0.iso8601Written) }, "updated": updated.map { .string($0.iso8601Written) },
      "icon": icon.map { Actor.json($0) }, "image": image.map { Actor.json($0) },
    ])
  }

  private var signals: JSON {
    JSON.members([
      "manuallyApprovesFollowers": .bool(manuallyApprovesFollowers), "discoverable": .bool(discoverable),
      "indexable": .bool(indexable), "memorial": memorial ? true : nil, "suspended": suspended ? true : nil,
      "usagePolicy": usagePolicy, "xRobotsTag": xRobotsTag.map { .string($0) },
      "contentUsage": contentUsage.map { .string($0) }, "policyConformance": policyConformance.map { .string($0) },
    ])
  }

  private var relations: JSON {
    let methods = assertionMethods.map(\.json)
    let links = implements.map {
      JSON.members(["type": "Link", "href": .string($0.href.text), "name": $0.name.map { .string($0) }])
    }
    let rows: [JSON] = fields.map { ["type": "PropertyValue", "name": .string($0.name), "value": .string($0.value)] }
    return JSON.members([
      "publicKey": publicKeys.first?.json, "assertionMethod": methods.isEmpty ? nil : .array(methods),
      "attachment": .array(rows), "tag": .array(tags.map(\.json)), "movedTo": Actor.text(movedTo),
      "alsoKnownAs": alsoKnownAs.isEmpty ? nil : .array(alsoKnownAs.map { .string($0.text) }),
      "attributionDomains": attributionDomains.isEmpty ? nil : .array(attributionDomains.map { .string($0) }),
      "webfinger": webfinger.map { .string($0) }, "implements": links.isEmpty ? nil : .array(links),
      "generator": generator.map { ["type": "Application", "id": .string($0.text)] },
    ])
  }

  private static func text(_ iri: IRI?) -> JSON? { iri.map { .string($0.text) } }

  private static func json(_ picture: Picture) -> JSON {
    JSON.members([
      "type": "Image", "mediaType": picture.mediaType.map { .string($0) }, "url": .string(picture.url.text),
      "name": picture.alt.map { .string($0) }, "summary": picture.alt.map { .string($0) },
    ])
  }
}
