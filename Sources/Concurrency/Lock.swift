import Foundation

/// A value guarded by a POSIX mutex, pthread_mutex_lock(3).
///
/// Same interface as the standard library's `Mutex`. On Linux `Mutex` uses futex(2) directly, which the thread
/// sanitizer doesn't recognize: it reports every access under such a mutex as a race. It does recognize POSIX mutexes,
/// so each of its reports is a real bug.
///
/// Locking and unlocking take about 80 instructions, twice those of `Mutex`. This requires all of it to be inlinable,
/// and public for that reason alone; no product exports this module. With inlinable code at `package` level the
/// compiler calls it unspecialized from other modules, which takes 470.
@safe public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // @unchecked: the value is only accessed while the mutex is held, and enters and leaves as `sending`.

    @unsafe @usableFromInline struct Storage: ~Copyable {
        @usableFromInline var mutex = unsafe pthread_mutex_t()
        @usableFromInline var value: Value

        @inlinable init(value: consuming Value) {
            unsafe self.value = value
        }
    }

    // On the heap, because a POSIX mutex must not move.
    @usableFromInline let storage: UnsafeMutablePointer<Storage>

    @inlinable public init(_ value: consuming sending Value) {
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: Storage(value: value))
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        #if canImport(Glibc)
            // Spins for some hundred cycles before it waits in the kernel: a critical section is shorter than that.
            unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
        #endif
        // Can't fail with valid attributes and freshly allocated memory.
        let status = unsafe pthread_mutex_init(&storage.pointee.mutex, &attributes)
        assert(status == 0)
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    @inlinable deinit {
        unsafe pthread_mutex_destroy(&storage.pointee.mutex)
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// Runs `body` with exclusive access to the value. `body` must neither block nor take the same lock.
    @inlinable public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(&storage.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&storage.pointee.mutex) }
        return try unsafe body(&storage.pointee.value)
    }
}
