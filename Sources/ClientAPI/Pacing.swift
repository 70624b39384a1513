import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Primitives
import Store

/// How much anybody may ask for, by what it costs. Every answer says what is left.
package struct Pacing: Sendable {
  package enum Bucket: String, Hashable, Sendable, CaseIterable {
    case requests, media, deletions, registrations, tokens

    /// `requests` is for a token; a stranger has `Pacing.stranger`.
    package var rate: RateLimiter.Rate {
      switch self {
      case .requests: .init(burst: 1_500, per: .seconds(300))
      // A gallery moves in within an afternoon, and nobody keeps the worker from the others.
      case .media: .init(burst: 240, per: .seconds(3_600))
      case .deletions: .init(burst: 60, per: .seconds(1_800))
      // Anybody may register an application.
      case .registrations: .init(burst: 5, per: .seconds(600))
      // A secret is guessed at no more often than this.
      case .tokens: .init(burst: 60, per: .seconds(300))
      }
    }

    func problem(_ wait: Int) -> Problem {
      switch self {
      case .media:
        Problem(
          .tooManyRequests, "request.too_many", "Too many pictures at once. Try again in a few minutes.",
          retryAfter: wait)
      case .registrations: Problem(.tooManyRequests, "application.too_many", "Too many requests", retryAfter: wait)
      case .requests, .deletions, .tokens:
        Problem(.tooManyRequests, "request.too_many", "Too many requests", retryAfter: wait)
      }
    }
  }

  package static let stranger = RateLimiter.Rate(burst: 300, per: .seconds(300))

  private let limiters: [Bucket: RateLimiter]
  private let strangers: RateLimiter

  /// Nobody but this machine reaches a trial, and tests and demonstrations are in a hurry.
  init(time: TimeSource, isTrial: Bool) {
    func limiter(_ rate: RateLimiter.Rate, _ factor: Int) -> RateLimiter {
      RateLimiter(.init(burst: rate.burst * factor, per: rate.per), time: time)
    }
    let factor = isTrial ? 100 : 1
    limiters = Dictionary(
      uniqueKeysWithValues: Bucket.allCases.map { ($0, limiter($0.rate, $0 == .registrations ? 1 : factor)) })
    strangers = limiter(Self.stranger, factor)
  }

  /// A token pays for itself, an account for its pictures and deletions, and an address for those who have neither.
  func spend(_ bucket: Bucket?, _ request: Request, _ context: FaceContext) -> RateLimiter.Spending {
    let address = rateKey(clientAddress(request, context))
    guard let bucket, let limiter = limiters[bucket] else { return strangers.counted(address) }
    switch bucket {
    case .requests: return context.tokenHash.map(limiter.counted) ?? strangers.counted(address)
    case .media, .deletions: return limiter.counted(context.bearer.map { "\($0.account.id)" } ?? address)
    case .registrations, .tokens: return limiter.counted(address)
    }
  }
}

extension RateLimiter.Spending {
  func state(on response: inout Response) {
    response.headers[.rateLimit] = String(limit)
    response.headers[.rateRemaining] = String(left)
    response.headers[.rateReset] = fullAt.iso8601
  }
}

extension HTTPField.Name {
  static let rateLimit = HTTPField.Name("X-RateLimit-Limit") ?? .eTag
  static let rateRemaining = HTTPField.Name("X-RateLimit-Remaining") ?? .eTag
  static let rateReset = HTTPField.Name("X-RateLimit-Reset") ?? .eTag
}
