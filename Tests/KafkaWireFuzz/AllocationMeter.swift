import Foundation
import Synchronization

/// Measures the peak memory use of a function with the address sanitizer's hooks.
///
/// Without the sanitizer nothing is measured.
enum AllocationMeter {
    // Atomic, because other threads allocate too.
    private static let live = Atomic<Int>(0)
    private static let peak = Atomic<Int>(0)

    // As in sanitizer/common_interface_defs.h and allocator_interface.h, but with addresses as integers, because they
    // are never dereferenced.
    private typealias MallocHook = @convention(c) (UInt, Int) -> Void
    private typealias FreeHook = @convention(c) (UInt) -> Void
    private typealias Install = @convention(c) (MallocHook, FreeHook) -> Int32
    private typealias Size = @convention(c) (UInt) -> Int

    /// The sanitizer's function that returns the size of an allocation; nil without the sanitizer.
    private static let size: Size? = function("__sanitizer_get_allocated_size")

    /// Looked up by name, because a build without the sanitizer doesn't have these functions.
    private static func function<Function>(_ name: String) -> Function? {
        guard let symbol = unsafe dlsym(nil, name) else { return nil }
        // The types above match the functions' declarations.
        return unsafe unsafeBitCast(symbol, to: Function.self)
    }

    /// Installs the hooks, which begin to count.
    ///
    /// - Returns: Whether the sanitizer is present.
    static let isInstalled: Bool = {
        // Initialize the statics before the first hook runs, because a hook must not allocate.
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
    /// - Returns: The peak of the additional memory in bytes; nil without the sanitizer.
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
