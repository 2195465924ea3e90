import Dispatch

extension DispatchQueue {
    /// Does work that may block, off the threads that tasks run on, and waits for what it comes to.
    public func value<Value: Sendable>(of work: @escaping @Sendable () -> Value) async -> Value {
        let promise = Promise<Value>()
        self.async { promise.fulfil(work()) }
        return await promise.value()
    }
}
