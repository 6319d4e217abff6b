import BasicContainers

extension AccessLog {
  /// A request that was read, and not answered yet.
  struct Note: ~Copyable {
    /// Its line but for status and size; empty when there was no room to keep it.
    var text: ByteBuffer
    /// Where those belong.
    let afterStatus: Int
    /// The line was written; others that came before wait.
    var isDone = false

    init(text: consuming ByteBuffer, afterStatus: Int) {
      self.text = text
      self.afterStatus = afterStatus
    }
  }

  /// A client and its requests that wait for their answers.
  struct Client: ~Copyable {
    let peer: NetworkAddress?
    /// The same as text.
    let address: ByteBuffer
    private var notes = UniqueArray<Note>()

    /// The place of the first note among the client's requests, modulo 2^32.
    private var first: UInt32 = 0

    /// How many bytes the notes have.
    private(set) var kept = 0

    /// So many bytes at most are kept for one client, and one request more.
    static var mostKept: Int { 1 << 18 }

    init(peer: NetworkAddress? = nil, address: consuming ByteBuffer = ByteBuffer()) {
      self.peer = peer
      self.address = address
    }

    mutating func append(_ note: consuming Note) {
      kept += note.text.count
      notes.append(note)
    }

    /// The note of a request, the first time it is asked for.
    mutating func take(_ sequence: UInt32) -> Note? {
      let index = Int(sequence &- first)
      guard index < notes.count, !notes[index].isDone else { return nil }
      let note = take(at: index)
      forgetDone()
      return note
    }

    /// The note of the first request that waits, or nil.
    mutating func takeFirst() -> Note? {
      for index in 0..<notes.count where !notes[index].isDone { return take(at: index) }
      return nil
    }

    private mutating func take(at index: Int) -> Note {
      var note = Note(text: ByteBuffer(), afterStatus: 0)
      note.isDone = true
      swap(&note, &notes[index])
      kept -= note.text.count
      return note
    }

    /// Forgets the notes at the front that are done.
    private mutating func forgetDone() {
      var done = 0
      while done < notes.count, notes[done].isDone { done += 1 }
      // Not one by one when there are many.
      guard done == notes.count || done >= 64 else { return }
      notes.removeSubrange(..<done)
      first &+= UInt32(done)
    }
  }
}
