/// What a test waited for did not come about in time.
struct NeverHappened: Error, CustomStringConvertible {
  let description: String
}
