import Foundation

/// A value that one thread at a time looks at and changes, guarded by pthread_mutex_lock(3).
///
/// It is used as the standard library's `Mutex` is. That one is built upon futex(2) on Linux, with no call that the
/// thread sanitizer knows, so that the sanitizer takes everything that such a mutex guards for a race. What a POSIX
/// mutex guards it follows, and a report is a mistake of ours.
///
/// A lock and its release are some 80 instructions, twice those of `Mutex`. That takes that all of it is inlinable, and
/// public for that reason alone, since no product has this module: what is inlinable at `package` level the compiler
/// calls unspecialized from other modules, which is 470.
@safe public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // @unchecked: the value is only reached while the mutex is held, and comes and goes as `sending`.

    @unsafe @usableFromInline struct Storage: ~Copyable {
        @usableFromInline var mutex = unsafe pthread_mutex_t()
        @usableFromInline var value: Value

        @inlinable init(value: consuming Value) {
            unsafe self.value = value
        }
    }

    // On the heap, since a POSIX mutex must not be moved.
    @usableFromInline let storage: UnsafeMutablePointer<Storage>

    @inlinable public init(_ value: consuming sending Value) {
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: Storage(value: value))
        // With default attributes and memory of its own there is nothing that could fail.
        let status = unsafe pthread_mutex_init(&storage.pointee.mutex, nil)
        assert(status == 0)
    }

    @inlinable deinit {
        unsafe pthread_mutex_destroy(&storage.pointee.mutex)
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// Runs `body` with the value while no other thread does. It mustn't block, or take the same lock.
    @inlinable public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(&storage.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&storage.pointee.mutex) }
        return try unsafe body(&storage.pointee.value)
    }
}
