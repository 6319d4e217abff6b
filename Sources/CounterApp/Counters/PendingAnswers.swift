import BasicContainers
import Counting
import HTTP

/// The answer that a visit's ticket stands for: the exchange, and in the 24 bits above it what the answer
/// looks like.
struct AnswerTicket {
  let ticket: UInt128

  /// What the answer looks like.
  enum Form: UInt8 {
    /// The page of `/`.
    case page
    /// `{"value":43}` for a hit.
    case json
    /// `43` for a hit.
    case text
    /// `{"value":43}` for a counter that is read.
    case readJSON
    /// `43` for a counter that is read.
    case readText
    /// `{"value":43}` for a counter that is set or removed.
    case change
    /// A `PendingAnswer`.
    case pending
    /// An event of streams, for a counter that they watch.
    case watched
    /// A `PendingImage`.
    case image
  }

  init(ticket: UInt128) { self.ticket = ticket }

  @inline(__always)
  init(_ exchange: Exchange, _ form: Form) {
    ticket = exchange.ticket | UInt128(form.rawValue) << 124
  }

  /// - Parameters:
  ///   - index: of the pending answer.
  ///   - part: which of the visits for it.
  init(pending index: Int, part: Int = 0) {
    ticket =
      UInt128(Form.pending.rawValue) << 124 | UInt128(truncatingIfNeeded: index) << 32
      | UInt128(truncatingIfNeeded: part)
  }

  /// - Parameter index: of the watched counter that is read.
  init(watched index: Int) {
    ticket =
      UInt128(Form.watched.rawValue) << 124 | UInt128(truncatingIfNeeded: index) << 32
  }

  /// - Parameter index: of the pending image.
  init(image index: Int) {
    ticket = UInt128(Form.image.rawValue) << 124 | UInt128(truncatingIfNeeded: index) << 32
  }

  var form: Form? { Form(rawValue: UInt8(truncatingIfNeeded: ticket >> 124)) }

  var exchange: Exchange { Exchange(ticket: ticket) }

  var index: Int { Int(truncatingIfNeeded: ticket >> 32 & 0xFFFF_FFFF) }

  var part: Int { Int(truncatingIfNeeded: ticket & 0xFFFF_FFFF) }
}

/// An answer that takes more than an exchange and a number.
struct PendingAnswer {
  let exchange: Exchange
  fileprivate(set) var content: Content

  /// What will be answered.
  enum Content {
    /// A script that calls a function.
    case script(callback: String, isRead: Bool)
    /// A counter with its name.
    case counter(namespace: String, key: String)
    /// Several counters.
    case counters(Gathering)
    /// A page of a list.
    case list(namespace: String, isText: Bool)

    /// The function that a script calls.
    var callback: String? {
      switch self {
      case .script(let callback, _): callback
      case .counters(let gathering): gathering.callback
      case .counter, .list: nil
      }
    }

    /// How many visits it waits for.
    fileprivate var visitCount: Int {
      if case .counters(let gathering) = self { gathering.keys.count } else { 1 }
    }
  }

  /// Counters of which some are not read yet.
  struct Gathering {
    let keys: [String]
    let isText: Bool
    let callback: String?
    private(set) var numbers: [Int64?]
    private(set) var missingCount: Int
    private var readProblem: Problem?

    /// Why not all of them could be read.
    var problem: Problem? { missingCount > 0 ? .unavailable : readProblem }

    init(_ keys: [String], isText: Bool, callback: String?) {
      self.keys = keys
      self.isText = isText
      self.callback = callback
      numbers = Array(repeating: nil, count: keys.count)
      missingCount = keys.count
    }

    fileprivate mutating func add(_ result: Outcome.Result, _ part: Int) {
      numbers[part] = result.value
      if let problem = Problem(result), problem != .absent { readProblem = problem }
      missingCount -= 1
    }

    /// `{"values":{"home":43,"about":null}}`, as an object of JavaScript if there is a callback.
    var json: String {
      // By bytes: texts are equal that look the same, and are keys of different counters.
      var seen = Set<[UInt8]>()
      let members = zip(keys, numbers).compactMap { key, number in
        seen.insert(Array(key.utf8)).inserted
          ? "\(name(of: key)):\(number.map(String.init) ?? "null")" : nil
      }
      return #"{"values":{"# + members.joined(separator: ",") + "}}"
    }

    /// The name of a member. A plain `"__proto__"` in an object of JavaScript is no member of it.
    private func name(of key: String) -> String {
      callback != nil && key == "__proto__" ? #"["__proto__"]"# : key.quotedForJSON
    }

    /// A line each: the number, or `-`.
    var lines: String { numbers.map { "\($0.map(String.init) ?? "-")\n" }.joined() }
  }
}

/// The pending answers of a loop, each under a number of its own.
struct PendingAnswers: ~Copyable {
  private var answers: [PendingAnswer?] = []
  private var free: [Int] = []
  private var visitCount = 0

  /// How many visits may wait for pending answers. A visit for which no answer is kept takes less memory.
  private static var mostVisits: Int { 8192 }

  /// - Returns: the answer's number; nil when as many wait as may.
  mutating func insert(_ answer: PendingAnswer) -> Int? {
    guard visitCount + answer.content.visitCount <= Self.mostVisits else { return nil }
    visitCount += answer.content.visitCount
    guard let index = free.popLast() else {
      answers.append(answer)
      return answers.count - 1
    }
    answers[index] = answer
    return index
  }

  /// Adds the outcome of the next visit that an answer waits for.
  ///
  /// - Returns: the answer when that was the last one; it is removed then.
  mutating func add(_ result: Outcome.Result, _ ticket: AnswerTicket) -> PendingAnswer? {
    if case .counters(var gathering) = answers[ticket.index]?.content {
      gathering.add(result, ticket.part)
      answers[ticket.index]?.content = .counters(gathering)
      guard gathering.missingCount == 0 else { return nil }
    }
    return remove(ticket.index)
  }

  /// Removes an answer, for the one who has what it waits for.
  mutating func remove(_ index: Int) -> PendingAnswer? {
    guard let answer = answers[index] else { return nil }
    answers[index] = nil
    free.append(index)
    visitCount -= answer.content.visitCount
    return answer
  }
}
