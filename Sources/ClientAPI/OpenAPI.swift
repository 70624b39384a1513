import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Primitives

extension ClientAPI {
  var describingRoutes: [Route] {
    [Route(.get, "/api/atelier/v1/openapi.json", .open) { call in .json(openAPI) }]
  }

  /// The table of routes as an OpenAPI 3.1 document: who may call what, with which scope, and what limits it. The
  /// entities are those of Mastodon's documentation.
  package var openAPI: JSON {
    var paths: [(key: String, value: JSON)] = []
    for (path, routes) in Dictionary(grouping: routes, by: \.path).sorted(by: { $0.key < $1.key }) {
      let operations = routes.sorted { $0.method.rawValue < $1.method.rawValue }
      paths.append(
        (
          described(path),
          JSON(pairs: operations.map { ($0.method.rawValue.lowercased(), operation($0)) })
        ))
    }
    return [
      "openapi": "3.1.0",
      "info": ["title": .string(facts.title), "version": .string(facts.version)],
      "servers": [["url": .string(instance.base.text)]],
      "paths": JSON(pairs: paths),
      "components": [
        "securitySchemes": [
          "oauth": [
            "type": "oauth2",
            "flows": [
              "authorizationCode": [
                "authorizationUrl": .string(instance.page("/oauth/authorize").text),
                "tokenUrl": .string(instance.page("/oauth/token").text),
                "scopes": JSON(pairs: Set(routes.compactMap(\.scope)).sorted().map { ($0, "") }),
              ]
            ],
          ]
        ]
      ],
    ]
  }

  private func described(_ path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }.joined(separator: "/")
  }

  private func operation(_ route: Route) -> JSON {
    var answers: [(key: String, value: JSON)] = [("200", ["description": "OK"])]
    if route.access != .open { answers.append(("401", ["description": "no token, or one that has ended"])) }
    if route.scope != nil { answers.append(("403", ["description": "outside the scopes of the token"])) }
    if route.ownership != .nobody { answers.append(("404", ["description": "not there, or not for this viewer"])) }
    answers += [("422", ["description": "invalid"]), ("429", ["description": "too many requests"])]
    var operation: JSON = [
      "operationId": .string(
        route.method.rawValue.lowercased()
          + route.path.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()),
      "responses": JSON(pairs: answers),
      "x-rate-limit": .string(route.bucket.rawValue),
      "x-ownership": .string(route.ownership.rawValue),
    ]
    let names = route.path.split(separator: "/").filter { $0.hasPrefix(":") }.map { String($0.dropFirst()) }
    if !names.isEmpty {
      operation["parameters"] = .array(
        names.map { ["name": .string($0), "in": "path", "required": true, "schema": ["type": "string"]] })
    }
    if let scope = route.scope {
      let needed: JSON = ["oauth": [.string(scope)]]
      if case .optional = route.access {
        operation["security"] = [[:], needed]
      } else {
        operation["security"] = [needed]
      }
    } else {
      let anyToken: JSON = [["oauth": []]]
      operation["security"] = route.access == .anyToken ? anyToken : .array([])
    }
    return operation
  }

  /// The same table for people: `Deploy/api.md`, which a test holds equal.
  package var endpointList: String {
    var text = """
      # The client API

      Made from the table of routes; `openapi.json` under `/api/atelier/v1/` says the same to programs. Every route is
      answered with and without a slash at its end, takes forms, multipart forms and JSON, and says in
      `X-RateLimit-Limit`, `-Remaining` and `-Reset` what is left. *open*: anybody. *scope?*: anybody, and a token that
      is sent must reach that far. Streams are WebSockets where one is asked for, else server-sent events.

      | method | path | who | limit |
      |---|---|---|---|

      """
    for route in routes.sorted(by: { ($0.path, $0.method.rawValue) < ($1.path, $1.method.rawValue) }) {
      let role = route.role.map { ", \($0.rawValue)" } ?? ""
      text += "| \(route.method.rawValue) | `\(route.path)` | \(route.who)\(role) | \(route.bucket.rawValue) |\n"
    }
    return text
  }
}

extension Route {
  /// What a token has to carry.
  package var scope: String? {
    switch access {
    case .scope(let scope), .optional(let scope), .application(let scope): scope
    case .open, .anyToken, .client: nil
    }
  }

  fileprivate var who: String {
    switch access {
    case .open: "open"
    case .optional(let scope): "`\(scope)`?"
    case .scope(let scope): "`\(scope)`"
    case .anyToken: "any token"
    case .application(let scope): "`\(scope)` of an application"
    case .client: "an application's secret"
    }
  }
}
