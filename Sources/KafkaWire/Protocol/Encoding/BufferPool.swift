import Concurrency

/// Memory that is used again: large buffers that come back keep their pages.
///
/// A pool holds what came back up to `limit` bytes, and frees the rest. A buffer is handed out for a request of
/// at least half its size, so that a small response doesn't pin a large one's memory.
@safe package final class BufferPool: Sendable {
    /// Below this size malloc's own free lists serve as well.
    private static let smallest = 64 << 10

    @safe private struct Idle {
        // The pointers are owned by this list and by nobody else as long as they are in it.
        nonisolated(unsafe) let base: UnsafeMutableRawPointer
        let capacity: Int
    }

    private struct State {
        var idle: [Idle] = []
        var idleBytes = 0
    }

    private let state = Lock(State())
    private let limit: Int

    /// - Parameter limit: How many bytes of memory that nobody uses the pool keeps.
    package init(limit: Int) {
        self.limit = limit
    }

    deinit {
        state.withLock { state in
            for buffer in state.idle { unsafe buffer.base.deallocate() }
            state.idle = []
        }
    }

    /// Memory for `count` bytes, its content undefined.
    package func take(_ count: Int) -> ByteStorage {
        guard count >= Self.smallest else { return ByteStorage(capacity: count) }
        // Whole 64 KiB steps, so that responses of nearly the same size can follow each other in one buffer.
        let wanted = (count + 0xffff) & ~0xffff
        let found: Idle? = state.withLock { state in
            var best: Int?
            for (index, buffer) in state.idle.enumerated()
            where buffer.capacity >= wanted && buffer.capacity <= wanted * 2 {
                if best.map({ buffer.capacity < state.idle[$0].capacity }) ?? true { best = index }
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
            // The oldest go first: they have the sizes that the traffic no longer asks for.
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
