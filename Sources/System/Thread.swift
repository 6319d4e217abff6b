import CLinux

/// An operating system thread that runs one body to its end (pthread_create(3)).
public struct Thread: ~Copyable, Sendable {
  private let handle: pthread_t

  /// Starts `body` on a thread of its own, under a name of at most 15 bytes that `top` shows.
  public init(name: String, _ body: sending @escaping () -> Void) throws(SystemError) {
    let start = unsafe Unmanaged.passRetained(Body(name, body))
    var handle = pthread_t()
    // Sound: the thread takes over the one reference that was retained for it.
    let error = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        unsafe clinux_name_thread(body.name)
        body.run()
        return nil
      }, start.toOpaque())
    guard error == 0 else {
      unsafe start.release()
      throw SystemError("pthread_create", code: error)
    }
    self.handle = handle
  }

  /// Waits until the body has returned.
  public consuming func join() {
    pthread_join(handle, nil)
  }

  /// Lets the thread run on by itself.
  public consuming func detach() {
    pthread_detach(handle)
  }

  private final class Body {
    let name: String
    let run: () -> Void

    init(_ name: String, _ run: @escaping () -> Void) {
      self.name = name
      self.run = run
    }
  }
}
