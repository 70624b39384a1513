import Primitives

extension Activity {
  /// Without `@context`; `document` has it. Nil for `unrecognized`.
  package var json: JSON? {
    switch self {
    case .create(let create): Activity.write("Create", create.header, Activity.json(create.object), always: true)
    case .update(let update): Activity.write("Update", update.header, Activity.json(update.object), always: true)
    case .delete(let delete):
      // Mastodon and Pixelfed act on a Tombstone and on a bare id alike; the Tombstone says why a later GET fails.
      Activity.write(
        "Delete", delete.header,
        delete.object == delete.actor
          ? .string(delete.object.text) : ["id": .string(delete.object.text), "type": "Tombstone"], always: true)
    case .follow(let follow): follow.json
    case .accept(let accept):
      Activity.write(
        "Accept", accept.header, Activity.json(accept.object), more: ["result": accept.result.map { .string($0.text) }])
    case .reject(let reject): Activity.write("Reject", reject.header, Activity.json(reject.object))
    case .undo(let undo): Activity.write("Undo", undo.header, Activity.json(undo.object))
    case .like(let like): like.json
    case .announce(let announce): announce.json
    case .add(let add):
      Activity.write("Add", add.header, .string(add.object.text), more: ["target": .string(add.target.text)])
    case .remove(let remove):
      Activity.write(
        "Remove", remove.header, .string(remove.object.text), more: ["target": .string(remove.target.text)])
    case .block(let block): block.json
    case .flag(let flag):
      Activity.write(
        "Flag", flag.header, .array(flag.objects.map { .string($0.text) }), more: ["content": .string(flag.content)])
    case .move(let move):
      Activity.write("Move", move.header, .string(move.object.text), more: ["target": .string(move.target.text)])
    case .quoteRequest(let request):
      Activity.write(
        "QuoteRequest", request.header, .string(request.object.text),
        more: ["instrument": Activity.json(request.instrument)])
    case .unrecognized: nil
    }
  }

  /// The bytes to sign are `document.bytes`.
  package var document: JSON? {
    switch self {
    case .create(let create): json.map { Context.document($0, Activity.context(create.object)) }
    case .update(let update): json.map { Context.document($0, Activity.context(update.object)) }
    case .quoteRequest: json.map { Context.document($0, Context.quoting) }
    default: json.map { Context.document($0, Context.activity) }
    }
  }

  /// An embedded object's terms must be defined where it stands, or JSON-LD readers drop them.
  private static func context(_ object: Reference<Subject>) -> JSON {
    switch object {
    case .embedded(.actor): Context.actor
    case .embedded(.note), .embedded(.other): Context.object
    case .link: Context.activity
    }
  }

  fileprivate static func write(
    _ type: String, _ header: Header, _ object: JSON, always: Bool = false,
    more: KeyValuePairs<String, JSON?> = [:]
  ) -> JSON {
    let addressing = header.addressing
    // Typed, since a bare `nil` here is the JSON null.
    let to: JSON? = always || !addressing.to.isEmpty ? .some(addressing.toJSON) : .none
    let cc: JSON? = always || !addressing.cc.isEmpty ? .some(addressing.ccJSON) : .none
    var out = JSON.members([
      "id": .string(header.id.text), "type": .string(type), "actor": .string(header.actor.text),
      "published": header.published.map { .string($0.iso8601Written) },
      "to": to, "cc": cc, "object": object,
    ])
    for (key, value) in more { if let value { out[key] = value } }
    return out
  }

  private static func json(_ reference: Reference<Subject>) -> JSON {
    switch reference {
    case .link(let iri): .string(iri.text)
    case .embedded(let subject): subject.json
    }
  }

  private static func json(_ reference: Reference<Follow>) -> JSON {
    switch reference {
    case .link(let iri): .string(iri.text)
    case .embedded(let follow): follow.json
    }
  }

  private static func json(_ reference: Reference<Undoable>) -> JSON {
    switch reference {
    case .link(let iri): .string(iri.text)
    case .embedded(.follow(let follow)): follow.json
    case .embedded(.like(let like)): like.json
    case .embedded(.announce(let announce)): announce.json
    case .embedded(.block(let block)): block.json
    }
  }
}

extension Follow {
  var json: JSON { Activity.write("Follow", header, .string(object.text)) }
}

extension Like {
  var json: JSON {
    Activity.write("Like", header, .string(object.text), more: ["content": reaction.map { .string($0) }])
  }
}

extension Announce {
  /// Pixelfed reads `cc` unguarded.
  var json: JSON { Activity.write("Announce", header, .string(object.text), always: true) }
}

extension Block {
  var json: JSON { Activity.write("Block", header, .string(object.text)) }
}
