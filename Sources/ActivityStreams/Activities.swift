import Primitives

package struct Create: Addressed {
  package var header: Header
  package var object: Reference<Subject>

  package init(header: Header, object: Reference<Subject>) {
    self.header = header
    self.object = object
  }
}

package struct Update: Addressed {
  package var header: Header
  package var object: Reference<Subject>

  package init(header: Header, object: Reference<Subject>) {
    self.header = header
    self.object = object
  }
}

/// An embedded Tombstone is read for its id.
package struct Delete: Addressed {
  package var header: Header
  package var object: IRI

  package init(header: Header, object: IRI) {
    self.header = header
    self.object = object
  }
}

package struct Follow: Addressed {
  package var header: Header
  package var object: IRI

  package init(header: Header, object: IRI) {
    self.header = header
    self.object = object
  }
}

/// `result` is the stamp of FEP-044f.
package struct Accept: Addressed {
  package var header: Header
  package var object: Reference<Follow>
  package var result: IRI?

  package init(header: Header, object: Reference<Follow>, result: IRI? = nil) {
    self.header = header
    self.object = object
    self.result = result
  }
}

package struct Reject: Addressed {
  package var header: Header
  package var object: Reference<Follow>

  package init(header: Header, object: Reference<Follow>) {
    self.header = header
    self.object = object
  }
}

package struct Undo: Addressed {
  package var header: Header
  package var object: Reference<Undoable>

  package init(header: Header, object: Reference<Undoable>) {
    self.header = header
    self.object = object
  }
}

/// `reaction` is the emoji of Misskey and Pleroma.
package struct Like: Addressed {
  package var header: Header
  package var object: IRI
  package var reaction: String?

  package init(header: Header, object: IRI, reaction: String? = nil) {
    self.header = header
    self.object = object
    self.reaction = reaction
  }
}

/// By id only: an embedded copy may be forged, and is fetched from its origin instead (GHSA-39gj).
package struct Announce: Addressed {
  package var header: Header
  package var object: IRI

  package init(header: Header, object: IRI) {
    self.header = header
    self.object = object
  }
}

package struct Add: Addressed {
  package var header: Header
  package var object: IRI
  package var target: IRI

  package init(header: Header, object: IRI, target: IRI) {
    self.header = header
    self.object = object
    self.target = target
  }
}

package struct Remove: Addressed {
  package var header: Header
  package var object: IRI
  package var target: IRI

  package init(header: Header, object: IRI, target: IRI) {
    self.header = header
    self.object = object
    self.target = target
  }
}

package struct Block: Addressed {
  package var header: Header
  package var object: IRI

  package init(header: Header, object: IRI) {
    self.header = header
    self.object = object
  }
}

/// A report: an account and its objects.
package struct Flag: Addressed {
  package var header: Header
  package var objects: [IRI]
  package var content: String

  package init(header: Header, objects: [IRI], content: String) {
    self.header = header
    self.objects = objects
    self.content = content
  }
}

/// The wish to quote `object` in `instrument` (FEP-044f).
package struct QuoteRequest: Addressed {
  package var header: Header
  package var object: IRI
  package var instrument: Reference<Subject>

  package init(header: Header, object: IRI, instrument: Reference<Subject>) {
    self.header = header
    self.object = object
    self.instrument = instrument
  }
}

package struct Move: Addressed {
  package var header: Header
  package var object: IRI
  package var target: IRI

  package init(header: Header, object: IRI, target: IRI) {
    self.header = header
    self.object = object
    self.target = target
  }
}
