/// What must never be. Rules guard security and the layers; taste is left to review.
enum Rules {
  /// How a literal begins that is a statement of SQL.
  static let statements = [
    "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "CREATE ", "ALTER ", "DROP ", "PRAGMA ", "REPLACE INTO ",
  ]

  static let all: [Rule] = layers + crashes + injected + hostile + storage + pages + size
}

extension Rules {
  private static let layers: [Rule] = [
    Rule(
      name: "libraries",
      reason: "each outside thing has one door, so that its dangers are guarded in one place",
      check: .imports([
        "GRDB": ["Sources/Persistence/"],
        "AsyncHTTPClient": ["Sources/Transport/"],
        "NIOHTTP1": ["Sources/Transport/"],
        "NIOSSL": ["Sources/Transport/"],
        "Hummingbird": faces,
        "HummingbirdCore": faces,
        "Mustache": ["Sources/Web/"],
        "CVips": ["Sources/Forensics/"],
        "CSandbox": ["Sources/Forensics/"],
        "COnnx": ["Sources/Forensics/"],
        "CShippedDetector": ["Sources/Forensics/"],
        "CLibCrypto": ["Sources/Signatures/"],
        "CLibXML": ["Sources/Markup/"],
        "TOMLKit": ["Sources/Server/"],
        "ArgumentParser": ["Sources/atelier/"],
        "FoundationNetworking": [],
        "Testing": [],
        "XCTest": [],
        "TestSupport": [],
      ])),
    Rule(
      name: "pure",
      reason: "the ground floor does no input or output: it is tested by its laws, with nothing to set up",
      within: [
        "Sources/Primitives/", "Sources/ActivityStreams/", "Sources/Signatures/", "Sources/Policy/", "Sources/Markup/",
        "Sources/Model/", "Vocab/",
      ],
      check: .imports([
        "Logging": [], "NIOCore": [], "NIOPosix": [], "HTTPTypes": [], "ServiceLifecycle": [], "Persistence": [],
        "Store": [], "Operations": [], "Transport": [], "Federation": [],
      ])),
    Rule(
      name: "versions",
      reason: "lock files are not kept: the manifest is the lock",
      within: ["Package.swift"],
      check: .words(["from:", "branch:", "revision:", ".upToNextMajor", ".upToNextMinor"])),
    Rule(
      name: "operations",
      reason: "state changes know nothing of protocols or the network, so that every face means the same by them",
      within: ["Sources/Operations/", "Sources/Store/", "Sources/Model/", "Sources/Policy/"],
      check: .imports([
        "ActivityStreams": [], "Federation": [], "Transport": [], "NIOCore": [], "NIOPosix": [], "Logging": [],
      ])),
    Rule(
      name: "faces",
      reason: "a face may not reach around the protocol code: what a peer may do is decided in Federation alone",
      within: ["Sources/ClientAPI/", "Sources/Web/"],
      check: .imports(["ActivityStreams": [], "Signatures": [], "Transport": [], "FederationHTTP": []])),
    Rule(
      name: "public",
      reason: "nothing here is a library: `package` reaches every target and every test",
      check: .words([
        "public func", "public var", "public let", "public init", "public struct", "public enum", "public class",
        "public actor", "public protocol", "public extension", "public typealias", "public static", "public final",
        "public import", "open class", "@_exported", "@testable",
      ])),
  ]

  private static let faces = [
    "Sources/HTTPSupport/", "Sources/FederationHTTP/", "Sources/ClientAPI/", "Sources/Web/", "Sources/Server/",
  ]

  private static let crashes: [Rule] = [
    Rule(
      name: "swallowed",
      reason: "an error that is thrown away comes back as a wrong answer: handle it, or let it through",
      check: .words(["try?"])),
    Rule(
      name: "traps",
      reason: "a trap on outside data is a remote kill of the whole server",
      check: .words(["try!", "as!", "fatalError("])),
    Rule(
      name: "print",
      reason: "output goes through the log, which knows what must not be written",
      exceptions: [.init(place: "Sources/atelier/", reason: "a command line answers on standard output")],
      check: .words(["print(", "debugPrint(", "dump("])),
  ]

  private static let injected: [Rule] = [
    Rule(
      name: "unstructured",
      reason: "a task that nobody waits for outlives the shutdown and loses its error",
      exceptions: [
        .init(place: "Sources/Server/", reason: "the composition root owns the life of every service"),
        .init(place: "Sources/Persistence/", reason: "SQLite blocks: its driver has threads of its own"),
        .init(place: "Sources/Transport/", reason: "shares one fetch between its callers, whoever of them gives up"),
      ],
      check: .words([
        "Task {", "Task(", "Task.detached", "DispatchQueue", "DispatchSemaphore", "Thread(", "pthread_create",
      ])),
    Rule(
      name: "time",
      reason: "time and chance are handed in, so that a test owns them and two runs give the same bytes",
      exceptions: [
        .init(place: "Sources/Primitives/", reason: "defines the sources that are handed in"),
        .init(place: "Sources/Server/", reason: "hands them in"),
        .init(place: "Sources/Transport/", reason: "its time limits run on the event loop's clock"),
      ],
      check: .words([
        "Date()", "Date.now", "ContinuousClock", "SuspendingClock", ".random(", ".randomElement(", ".shuffled(",
        "UUID()",
      ])),
    Rule(
      name: "unchecked",
      reason: "only a driver or the wrapper of a C library may promise what the compiler cannot see",
      exceptions: [
        .init(place: "Sources/Persistence/", reason: "GRDB's pool and the writing thread"),
        .init(place: "Sources/Transport/", reason: "NIO's event loops"),
        .init(place: "Sources/Signatures/", reason: "libcrypto's keys"),
        .init(place: "Sources/Markup/", reason: "libxml2's documents"),
        .init(place: "Sources/Forensics/", reason: "libvips' images and the worker's pipes"),
      ],
      check: .words(["@unchecked Sendable", "nonisolated(unsafe)", "@preconcurrency"])),
    Rule(
      name: "unexplained",
      reason: "a promise that the compiler cannot check needs its invariant beside it",
      check: .uncommented(["@unchecked Sendable", "nonisolated(unsafe)"])),
  ]

  private static let hostile: [Rule] = [
    Rule(
      name: "egress",
      reason: "Transport is the one guarded way out: it vets the address that it dials and bounds what comes back",
      exceptions: [.init(place: "Sources/Transport/", reason: "is that way out")],
      check: .words([
        "URLSession", "URLRequest", "URLProtocol", "ClientBootstrap", "Data(contentsOf:", "String(contentsOf:",
        "HTTPClient(", "getaddrinfo(",
      ])),
    Rule(
      name: "parsers",
      reason: "outside JSON goes through `JSON`, which bounds depth and refuses duplicate keys and bad UTF-8",
      exceptions: [
        .init(place: "Sources/Store/", reason: "reads its own columns back"),
        .init(place: "Sources/Forensics/", reason: "messages of the image worker: bounded in size, fixed in shape"),
        .init(place: "Sources/Server/", reason: "reads the operator's own settings"),
        .init(place: "Sources/atelier/", reason: "reads the operator's own files"),
      ],
      check: .words(["JSONSerialization", "JSONDecoder", "PropertyListDecoder", "XMLParser", "NSKeyedUnarchiver"])),
    Rule(
      name: "processes",
      reason: "the server starts one program, its own image worker, and loads libraries only through the C shims",
      exceptions: [
        .init(place: "Sources/Forensics/", reason: "the image worker's code"),
        .init(place: "Sources/Media/", reason: "starts image workers and bounds them"),
      ],
      check: .words(["Process()", "posix_spawn", "posix_spawnp", "execve", "fork()", "system(", "popen(", "dlopen("])),
    Rule(
      name: "verified",
      reason: "only the code that checked a signature may say that it did",
      exceptions: [.init(place: "Sources/Signatures/", reason: "checks signatures")],
      check: .words(["Verified("])),
  ]

  private static let storage: [Rule] = [
    Rule(
      name: "sql",
      reason: "every statement is in Store, where migrations, indexes and the dialect card are kept in step with it",
      exceptions: [
        .init(place: "Sources/Store/", reason: "all statements"),
        .init(place: "Sources/Persistence/", reason: "connection settings, savepoints and the table of migrations"),
      ],
      check: .literals(startingWith: statements)),
    Rule(
      name: "dialect",
      reason: "the dialect card: a statement must mean the same to SQLite and to PostgreSQL",
      within: ["Sources/Store/"],
      endings: [".swift", ".sql"],
      check: .statements(containing: [
        "SELECT *", "LIKE", "ILIKE", "NOW()", "CURRENT_TIMESTAMP", "AUTOINCREMENT", "INSERT OR", "REPLACE INTO",
        "DATETIME(", "STRFTIME(", "IFNULL(", "GROUP_CONCAT(", "GLOB", "COLLATE", "STRICT",
      ])),
    Rule(
      name: "standing",
      reason: "scores stay inside the stored assessment of one picture: no number is kept or gathered about a person",
      within: ["Sources/Store/"],
      check: .statements(containing: [
        "AVG(", "->>", "->", "JSON_EXTRACT", "JSON_EACH", "JSONB_PATH_QUERY", "SCORE", "AI_SCORE", "SCORES", "STRIKES",
        "SUSPICION", "REPUTATION",
      ])),
    Rule(
      name: "notes",
      reason: "a note to do something later is an issue, not a comment",
      within: ["Sources/", "Vocab/", "Deploy/", ".ci/"],
      endings: [""],
      check: .anywhere(["TODO:", "FIXME", "HACK:", "XXX:", "TODO "])),
  ]

  private static let pages: [Rule] = [
    Rule(
      name: "templates",
      reason:
        "pages work without script and load nothing from other hosts: both the content policy and readers' privacy",
      within: ["Sources/Web/"],
      endings: [".mustache", ".css", ".html"],
      check: .anywhere([
        "<script", "javascript:", "<style", " style=", "<iframe", "@import", "src=\"http", "src=\"//", "srcset=\"http",
        "srcset=\"//", "url(http", "url(\"http", "url('http", "url(//", "<link rel=\"stylesheet\" href=\"http",
        " onclick",
        " onload", " onerror", " onsubmit", " onchange", " onfocus",
      ])),
    Rule(
      name: "accusations",
      reason: "a picture is flagged for what was found: what it is, nobody here knows, and its artist reads the words",
      within: [
        "Sources/Web/", "Sources/ClientAPI/", "Sources/HTTPSupport/", "Sources/Policy/", "Sources/Operations/",
        "Sources/Media/", "Sources/Forensics/", "Sources/atelier/", "Sources/Server/", "Sources/Primitives/",
      ],
      endings: [".mustache", ".swift", ".html"],
      check: .anywhere([
        "is AI.", "is AI,", "is AI ", "is an AI", "AI-generated", "AI generated", "AI image", "AI picture", "by AI,",
        "by AI.", "with AI.", "is fake", "is generated.", "is not human", "was generated by",
      ])),
    Rule(
      name: "unescaped",
      reason: "what is printed as it is must be markup that Markup made; the name says so: {{{contentHTML}}}",
      within: ["Sources/Web/"],
      endings: [".mustache"],
      check: .unescaped(nameMustEndWith: "HTML")),
  ]

  private static let size: [Rule] = [
    Rule(
      name: "functions",
      reason: "a function that does not fit a screen does more than one thing",
      endings: [".swift"],
      check: .functionLines(60)),
    Rule(
      name: "files",
      reason: "a long file is two files",
      endings: [".swift", ".c", ".h"],
      exceptions: [
        .init(place: "Sources/CVips/CVips.c", reason: "one table of one library's functions, and what is called by it")
      ],
      check: .fileLines(500)),
  ]
}
