import Foundation

/// Starts a detached thread that blocks all signals.
///
/// Foundation's `Thread` doesn't report when the system can't create another thread.
///
/// - Parameters:
///   - name: The thread's name in debuggers; Linux keeps the first 15 characters.
///   - stackSize: In bytes; the system's default if nil.
/// - Returns: Whether the thread was started.
public func startThread(
    name: String? = nil, stackSize: Int? = nil, _ body: @escaping @Sendable () -> Void
) -> Bool {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    let named = Body {
        if let name { Thread.current.name = name }
        body()
    }
    var attributes = pthread_attr_t()
    guard unsafe pthread_attr_init(&attributes) == 0 else { return false }
    defer { unsafe pthread_attr_destroy(&attributes) }
    // The default remains if the system rejects the size.
    if let stackSize { unsafe pthread_attr_setstacksize(&attributes, stackSize) }
    // The thread takes ownership of this reference. If no thread starts, it is released below.
    let reference = unsafe Unmanaged.passRetained(named)
    #if canImport(Darwin)
        var thread: pthread_t?
    #else
        var thread = pthread_t()
    #endif
    let status = unsafe pthread_create(
        &thread, &attributes,
        { argument in
            #if canImport(Darwin)
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
            #else
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
            #endif
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            body.run()
            return nil
        }, reference.toOpaque())
    guard status == 0 else {
        unsafe reference.release()
        return false
    }
    #if canImport(Darwin)
        if let thread = unsafe thread { unsafe pthread_detach(thread) }
    #else
        pthread_detach(thread)
    #endif
    return true
}
