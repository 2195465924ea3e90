#if os(Linux)
    import CEpoll
    import Foundation

    /// epoll(7). The kernel goes through the sockets that are ready, not through all of them.
    ///
    /// Level-triggered: a socket that was not read to its end is reported again.
    @safe final class EpollPoller: SocketPoller {
        private let descriptor: Int32
        private var events = unsafe [epoll_event](repeating: epoll_event(), count: 64)

        /// - Throws: `errno`, if the process has no descriptor left.
        init() throws(SocketError) {
            descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
            guard descriptor >= 0 else { throw SocketError(errno) }
        }

        deinit {
            if descriptor >= 0 { close(descriptor) }
        }

        func add(_ descriptor: Int32, id: UInt64, _ events: SocketEvents) -> SocketError? {
            control(EPOLL_CTL_ADD, descriptor, id, events)
        }

        func change(_ descriptor: Int32, id: UInt64, _ events: SocketEvents) -> SocketError? {
            control(EPOLL_CTL_MOD, descriptor, id, events)
        }

        func remove(_ descriptor: Int32) {
            // The descriptor is open and watched, so this can't fail.
            _ = control(EPOLL_CTL_DEL, descriptor, 0, [])
        }

        private func control(
            _ operation: Int32, _ descriptor: Int32, _ id: UInt64, _ events: SocketEvents
        ) -> SocketError? {
            var event = unsafe epoll_event()
            if events.contains(.readable) { unsafe event.events |= EPOLLIN.rawValue }
            if events.contains(.writable) { unsafe event.events |= EPOLLOUT.rawValue }
            unsafe event.data.u64 = id
            return unsafe epoll_ctl(self.descriptor, operation, descriptor, &event) == 0 ? nil : SocketError(errno)
        }

        func wait(milliseconds: Int32, _ ready: inout [(id: UInt64, events: SocketEvents)]) -> SocketError? {
            ready.removeAll(keepingCapacity: true)
            let count = unsafe epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
            guard count >= 0 else { return errno == EINTR ? nil : SocketError(errno) }
            for index in 0..<Int(count) {
                let (found, id) = unsafe (events[index].events, events[index].data.u64)
                var events: SocketEvents = []
                if found & EPOLLIN.rawValue != 0 { events.insert(.readable) }
                if found & EPOLLOUT.rawValue != 0 { events.insert(.writable) }
                if found & ~(EPOLLIN.rawValue | EPOLLOUT.rawValue) != 0 { events.insert(.ended) }
                ready.append((id, events))
            }
            return nil
        }
    }
#endif
