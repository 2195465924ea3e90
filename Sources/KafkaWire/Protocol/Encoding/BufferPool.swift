import Concurrency

/// A pool of large buffers, whose pages stay mapped for reuse.
///
/// The pool keeps up to `limit` bytes of returned buffers and frees the rest. It reuses a buffer only for requests of
/// at least half its size, so that a small response doesn't pin a large buffer.
@safe package final class BufferPool: Sendable {
    /// The smallest pooled size in bytes; below it, malloc is as fast.
    private static let smallest = 64 << 10

    @safe private struct Idle {
        // While a pointer is in this list, only the list owns it.
        nonisolated(unsafe) let base: UnsafeMutableRawPointer
        let capacity: Int
    }

    private struct State {
        var idle: [Idle] = []
        var idleBytes = 0
    }

    private let state = Lock(State())
    private let limit: Int

    /// - Parameter limit: The largest total size of idle buffers in bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    deinit {
        state.withLock { state in
            for buffer in state.idle { unsafe buffer.base.deallocate() }
            state.idle = []
        }
    }

    /// Uninitialized memory for `count` bytes.
    package func take(_ count: Int) -> ByteStorage {
        guard count >= Self.smallest else { return ByteStorage(capacity: count) }
        // Round up to 64 KiB, so that responses of similar size can reuse one buffer.
        let wanted = (count + 0xffff) & ~0xffff
        let found: Idle? = state.withLock { state in
            var best: Int?
            for (index, buffer) in state.idle.enumerated()
            where buffer.capacity >= wanted && buffer.capacity <= wanted * 2 {
                // Of equal ones the last: it was used most recently, so that it may still be in the processor's cache.
                if best.map({ buffer.capacity <= state.idle[$0].capacity }) ?? true { best = index }
            }
            guard let best else { return nil }
            let buffer = state.idle.remove(at: best)
            state.idleBytes -= buffer.capacity
            return buffer
        }
        if let found {
            return unsafe ByteStorage(base: found.base, capacity: found.capacity, pool: self)
        }
        return unsafe ByteStorage(
            base: .allocate(byteCount: wanted, alignment: 4096), capacity: wanted, pool: self)
    }

    func giveBack(_ base: UnsafeMutableRawPointer, capacity: Int) {
        nonisolated(unsafe) let pointer = unsafe base
        let evicted: [Idle] = state.withLock { state in
            unsafe state.idle.append(Idle(base: pointer, capacity: capacity))
            state.idleBytes += capacity
            var evicted: [Idle] = []
            // Evict the oldest first: their sizes are no longer requested.
            while state.idleBytes > limit {
                let buffer = state.idle.removeFirst()
                state.idleBytes -= buffer.capacity
                evicted.append(buffer)
            }
            return evicted
        }
        for buffer in evicted { unsafe buffer.base.deallocate() }
    }
}
