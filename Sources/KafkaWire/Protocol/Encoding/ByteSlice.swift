#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Memory of one response, filled once and then only read.
///
/// When the last slice of it is gone the memory goes back to the pool that it came from, since a fresh
/// mapping costs a page fault for each 4 KiB and that, at full rate, is a good part of a record's whole price.
@safe package final class ByteStorage: @unchecked Sendable {
    // @unchecked: whoever allocates the storage fills it before the first `ByteSlice` of it is made, and nothing
    // writes to it afterwards.

    /// Where the memory begins; valid for `capacity` bytes and as long as the storage lives.
    package let base: UnsafeMutableRawPointer
    package let capacity: Int
    private let pool: BufferPool?

    init(base: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
        unsafe self.base = unsafe base
        self.capacity = capacity
        self.pool = pool
    }

    /// Storage of its own, not from a pool.
    ///
    /// - Precondition: `capacity` isn't negative.
    package convenience init(capacity: Int) {
        precondition(capacity >= 0)
        unsafe self.init(base: .allocate(byteCount: max(capacity, 1), alignment: 16), capacity: capacity, pool: nil)
    }

    deinit {
        if let pool {
            unsafe pool.giveBack(base, capacity: capacity)
        } else {
            unsafe base.deallocate()
        }
    }
}

/// A range of bytes that shares ownership of the memory it lies in: copying a slice copies no bytes.
///
/// - Important: One slice keeps the whole response alive that it was cut from. Keep `Array(slice)` where only a
///   few bytes are wanted for long.
public struct ByteSlice: Sendable {
    package let storage: ByteStorage
    package let range: Range<Int>

    /// - Precondition: `range` lies within the storage's capacity, and the bytes in it were written.
    package init(_ storage: ByteStorage, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.capacity)
        self.storage = storage
        self.range = range
    }

    /// A slice with a copy of these bytes.
    public init(_ bytes: some Collection<UInt8>) {
        let count = bytes.count
        let storage = ByteStorage(capacity: count)
        let target = unsafe UnsafeMutableRawBufferPointer(start: storage.base, count: count)
        unsafe target.copyBytes(from: bytes)
        self.init(storage, 0..<count)
    }

    /// The number of bytes.
    public var count: Int { range.count }

    /// Whether there is no byte.
    public var isEmpty: Bool { range.isEmpty }

    /// The bytes, borrowed from this slice.
    public var span: RawSpan {
        @_lifetime(borrow self)
        get {
            // The storage lives at least as long as `self`, and its bytes don't change.
            let span = unsafe RawSpan(_unsafeStart: storage.base + range.lowerBound, byteCount: range.count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A part of this slice; `bounds` count from its beginning.
    ///
    /// - Precondition: `bounds` lies within `0..<count`.
    package func slice(_ bounds: Range<Int>) -> ByteSlice {
        precondition(bounds.lowerBound >= 0 && bounds.upperBound <= count)
        return ByteSlice(storage, range.lowerBound + bounds.lowerBound..<range.lowerBound + bounds.upperBound)
    }

    /// Calls `body` with the memory, for C functions.
    package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try unsafe body(UnsafeRawBufferPointer(start: storage.base + range.lowerBound, count: range.count))
    }
}

extension ByteSlice: Equatable {
    public static func == (left: ByteSlice, right: ByteSlice) -> Bool {
        unsafe left.withUnsafeBytes { leftBytes in
            unsafe right.withUnsafeBytes { rightBytes in
                unsafe leftBytes.count == rightBytes.count
                    && (leftBytes.count == 0
                        || memcmp(leftBytes.baseAddress!, rightBytes.baseAddress!, leftBytes.count) == 0)
            }
        }
    }
}

extension ByteSlice: Hashable {
    public func hash(into hasher: inout Hasher) {
        unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}

extension Array where Element == UInt8 {
    /// A copy of a slice's bytes, which keeps nothing else alive.
    public init(_ slice: ByteSlice) {
        self = unsafe slice.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// A copy of a span's bytes.
    public init(_ span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension String {
    /// The bytes as UTF-8; what isn't UTF-8 becomes U+FFFD.
    public init(repairingUTF8 span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// Gives `dependent` the lifetime of a borrow of `source`, where the compiler can't see that one owns the other's memory.
@unsafe
@_unsafeNonescapableResult
@_lifetime(borrow source)
@inlinable
package func _overrideLifetime<Dependent: ~Copyable & ~Escapable, Source: ~Copyable & ~Escapable>(
    _ dependent: consuming Dependent, borrowing source: borrowing Source
) -> Dependent {
    dependent
}
