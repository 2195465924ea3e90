#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The memory of one response, filled once and then read-only.
///
/// Releasing the last slice returns the memory to its pool. New memory would cost a page fault per 4 KiB, at full rate
/// a large part of the cost of a record.
@safe package final class ByteStorage: @unchecked Sendable {
    // @unchecked: the allocating code fills the storage before it makes the first `ByteSlice`, and nothing writes to it
    // afterwards.

    /// The start of `capacity` bytes, valid as long as the storage lives.
    package let base: UnsafeMutableRawPointer
    package let capacity: Int
    private let pool: BufferPool?

    init(base: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
        unsafe self.base = unsafe base
        self.capacity = capacity
        self.pool = pool
    }

    /// Allocates storage outside any pool.
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

/// A range of bytes in shared memory. Copying a slice copies no bytes.
///
/// - Important: A slice keeps the memory of its whole response alive. To keep a few bytes for long, copy them with
///   `Array(slice)`.
public struct ByteSlice: Sendable {
    package let storage: ByteStorage
    package let range: Range<Int>

    /// - Precondition: `range` lies within the storage's capacity, and its bytes are initialized.
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

    /// Whether the slice is empty.
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

    /// A part of this slice; `bounds` are relative to its start.
    ///
    /// - Precondition: `bounds` lies within `0..<count`.
    package func slice(_ bounds: Range<Int>) -> ByteSlice {
        precondition(bounds.lowerBound >= 0 && bounds.upperBound <= count)
        return ByteSlice(storage, range.lowerBound + bounds.lowerBound..<range.lowerBound + bounds.upperBound)
    }

    /// Calls `body` with the bytes, for C functions.
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
    /// Copies a slice's bytes.
    public init(_ slice: ByteSlice) {
        self = unsafe slice.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Copies a span's bytes.
    public init(_ span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension String {
    /// Decodes the bytes as UTF-8. Invalid UTF-8 is replaced by U+FFFD.
    public init(repairingUTF8 span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// Ties the lifetime of `dependent` to a borrow of `source`, for ownership that the compiler can't see.
@unsafe
@_unsafeNonescapableResult
@_lifetime(borrow source)
@inlinable
package func _overrideLifetime<Dependent: ~Copyable & ~Escapable, Source: ~Copyable & ~Escapable>(
    _ dependent: consuming Dependent, borrowing source: borrowing Source
) -> Dependent {
    dependent
}
