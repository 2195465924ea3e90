import Foundation
import Synchronization

/// Measures how much memory is in use at once between two points, by the hooks of the address sanitizer; without it
/// there is nothing to ask.
enum AllocationMeter {
    // Atomics, since other threads allocate as well.
    private static let live = Atomic<Int>(0)
    private static let peak = Atomic<Int>(0)

    // As in sanitizer/common_interface_defs.h and allocator_interface.h, but with addresses as the numbers that they are
    // at this level: nobody looks behind them.
    private typealias MallocHook = @convention(c) (UInt, Int) -> Void
    private typealias FreeHook = @convention(c) (UInt) -> Void
    private typealias Install = @convention(c) (MallocHook, FreeHook) -> Int32
    private typealias Size = @convention(c) (UInt) -> Int

    /// The sanitizer's function that tells how large an allocation is; nil without the sanitizer.
    private static let size: Size? = function("__sanitizer_get_allocated_size")

    /// Looked up by name, since a build without the sanitizer hasn't these functions.
    private static func function<Function>(_ name: String) -> Function? {
        guard let symbol = unsafe dlsym(nil, name) else { return nil }
        // The types above are the functions' own.
        return unsafe unsafeBitCast(symbol, to: Function.self)
    }

    /// Begins to count.
    ///
    /// - Returns: Whether it can.
    static let isInstalled: Bool = {
        // All of them are set up before the first hook is called, which must not allocate.
        live.store(0, ordering: .relaxed)
        peak.store(0, ordering: .relaxed)
        guard size != nil, let install: Install = function("__sanitizer_install_malloc_and_free_hooks") else {
            return false
        }
        let status = install(
            { _, count in AllocationMeter.add(count) },
            { pointer in
                if pointer != 0, let size = AllocationMeter.size { AllocationMeter.add(-size(pointer)) }
            })
        return status > 0
    }()

    private static func add(_ count: Int) {
        let now = live.add(count, ordering: .relaxed).newValue
        if count > 0 { peak.max(now, ordering: .relaxed) }
    }

    /// Runs `body`.
    ///
    /// - Returns: How many bytes more than before were in use at most; nil where that can't be measured.
    static func measure<E: Error>(_ body: () throws(E) -> Void) throws(E) -> Int? {
        guard isInstalled else {
            try body()
            return nil
        }
        let before = live.load(ordering: .relaxed)
        peak.store(before, ordering: .relaxed)
        try body()
        return peak.load(ordering: .relaxed) - before
    }
}
