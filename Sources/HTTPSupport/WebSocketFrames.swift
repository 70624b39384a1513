import Crypto
import NIOCore
import Primitives

/// RFC 6455, as much of it as a server of short texts needs: no extensions, no binary messages.
package struct WebSocketReader: Sendable {
  package enum Event: Hashable, Sendable {
    case text(String)
    case ping([UInt8])
    case pong
    /// The other end goes.
    case close
    /// What came is no WebSocket, or more than is read here: the code to close with.
    case fault(Int)
  }

  private var waiting: [UInt8] = []
  private var message: [UInt8] = []
  private var isInMessage = false
  private let most: Int

  package init(most: Int = Limits.webSocketMessage) { self.most = most }

  /// What `bytes` complete. After a fault nothing more is read.
  package mutating func read(_ bytes: some Sequence<UInt8>) -> [Event] {
    waiting += bytes
    var events: [Event] = []
    while let event = next() {
      switch event {
      case .some(let found): events.append(found)
      case .none: continue
      }
      if case .fault = events.last { break }
    }
    return events
  }

  /// Nil when no whole frame is there; nil within when a frame completed no message.
  private mutating func next() -> Event?? {
    guard waiting.count >= 2 else { return nil }
    let (first, second) = (waiting[0], waiting[1])
    // Reserved bits belong to extensions, of which none was agreed on; a client must mask (§5.1).
    guard first & 0x70 == 0, second & 0x80 != 0 else { return .some(.fault(1002)) }
    var length = Int(second & 0x7f)
    var head = 2
    if length == 126 {
      guard waiting.count >= 4 else { return nil }
      length = Int(waiting[2]) << 8 | Int(waiting[3])
      head = 4
    } else if length == 127 {
      return .some(.fault(1009))
    }
    guard length <= most else { return .some(.fault(1009)) }
    guard waiting.count >= head + 4 + length else { return nil }
    let mask = Array(waiting[head..<(head + 4)])
    let payload = waiting[(head + 4)..<(head + 4 + length)].enumerated().map { $0.element ^ mask[$0.offset & 3] }
    waiting.removeFirst(head + 4 + length)
    return .some(take(payload, opcode: first & 0x0f, isFinal: first & 0x80 != 0))
  }

  private mutating func take(_ payload: [UInt8], opcode: UInt8, isFinal: Bool) -> Event? {
    if opcode >= 8 { return control(payload, opcode: opcode, isFinal: isFinal) }
    switch (opcode, isInMessage) {
    case (1, false): message = payload
    case (0, true): message += payload
    case (2, _): return .fault(1003)
    default: return .fault(1002)
    }
    guard message.count <= most else { return .fault(1009) }
    isInMessage = !isFinal
    guard isFinal else { return nil }
    defer { message = [] }
    return String(validating: message, as: UTF8.self).map { .text($0) } ?? .fault(1007)
  }

  private func control(_ payload: [UInt8], opcode: UInt8, isFinal: Bool) -> Event {
    guard isFinal, payload.count <= 125 else { return .fault(1002) }
    switch opcode {
    case 8: return .close
    case 9: return .ping(payload)
    case 10: return .pong
    default: return .fault(1002)
    }
  }
}

package enum WebSocketFrame {
  package static func text(_ bytes: [UInt8]) -> ByteBuffer { frame(0x81, bytes) }
  package static let ping = frame(0x89, [])
  package static func pong(_ payload: [UInt8]) -> ByteBuffer { frame(0x8a, payload) }
  package static func close(_ code: Int) -> ByteBuffer {
    frame(0x88, [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)])
  }

  private static func frame(_ first: UInt8, _ payload: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeInteger(first)
    if payload.count < 126 {
      buffer.writeInteger(UInt8(payload.count))
    } else if payload.count < 65_536 {
      buffer.writeInteger(UInt8(126))
      buffer.writeInteger(UInt16(payload.count))
    } else {
      buffer.writeInteger(UInt8(127))
      buffer.writeInteger(UInt64(payload.count))
    }
    buffer.writeBytes(payload)
    return buffer
  }

  /// `Sec-WebSocket-Accept` (§4.2.2).
  package static func accept(_ key: String) -> String {
    let text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return Base64.encode(Array(Insecure.SHA1.hash(data: Array(text.utf8))))
  }
}

extension Limits {
  /// What a client says to a stream is a line.
  package static let webSocketMessage = 4_096
}
