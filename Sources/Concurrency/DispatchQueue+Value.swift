import Dispatch

extension DispatchQueue {
    /// Runs blocking work on this queue, outside the task threads, and returns its result.
    public func value<Value: Sendable>(of work: @escaping @Sendable () -> Value) async -> Value {
        let promise = Promise<Value>()
        self.async { promise.fulfil(work()) }
        return await promise.value()
    }
}
