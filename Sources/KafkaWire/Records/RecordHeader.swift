/// A header: a name and a value that the producer stores with a record (KIP-82).
///
/// Records to send and records that were read have headers of this type.
public struct RecordHeader: Sendable, Hashable {
    /// The name. Several headers of a record may have the same name.
    public var name: String
    /// The value; nil for null.
    public var value: [UInt8]?

    /// Creates a header with a value of bytes, or null.
    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// Creates a header with a text as its value, in UTF-8.
    public init(_ name: String, _ value: String) {
        self.init(name, Array(value.utf8))
    }

    /// Copies a header of a record. Invalid UTF-8 in the name is replaced by U+FFFD.
    public init(_ view: borrowing RecordHeaderView) {
        name = String(repairingUTF8: view.name)
        if let bytes = view.value { value = Array(bytes) } else { value = nil }
    }
}

extension [RecordHeader] {
    /// Copies the headers of a record.
    public init(_ headers: RecordHeaders) {
        self = []
        var iterator = headers.makeIterator()
        while let header = iterator.next() { append(RecordHeader(header)) }
    }
}
