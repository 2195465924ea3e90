import KafkaWire

/// A row that the table has, or must have.
struct FoundRow: Hashable, Sendable {
    var offset: Int64
    var number: Int64
    var value: Int64
    var hasInterval: Bool

    init(offset: Int64, number: Int64, value: Int64, hasInterval: Bool) {
        self.offset = offset
        self.number = number
        self.value = value
        self.hasInterval = hasInterval
    }

    /// The row expected for the record with this number.
    init(of number: Int64, at offset: Int64) {
        self.init(
            offset: offset, number: number, value: Reading.value(of: number),
            hasInterval: Reading.fate(of: number) == .rowOfTheDatabase)
    }
}

/// The sums over a partition's rows and dead letters. The database computes the same ones.
struct PartitionSums: Equatable, Sendable {
    var rows = 0
    var distinctRows = 0
    /// See ``add(_:)``.
    var checksum: UInt128 = 0
    var letters = 0
    var distinctLetters = 0
    /// The sum of the dead letters' offsets.
    var letterChecksum: UInt128 = 0

    /// The SQL expression for a row's part of the checksum.
    static let expression =
        "(\"offset\"::numeric + 1) * 1000003 + seq * 31 + value "
        + "+ CASE WHEN took IS NULL THEN 0 WHEN took = interval '1 day 02:00' THEN 7 ELSE 11 END"

    /// Adds a row that occurs once.
    mutating func add(_ row: FoundRow) {
        rows += 1
        distinctRows += 1
        checksum +=
            UInt128(row.offset + 1) * 1_000_003 + UInt128(row.number) * 31 + UInt128(row.value)
            + (row.hasInterval ? 7 : 0)
    }

    mutating func addLetter(at offset: Int64) {
        letters += 1
        distinctLetters += 1
        letterChecksum += UInt128(offset)
    }

    init() {}

    /// The sums expected for the acknowledged records.
    ///
    /// - Parameter offsets: The offset of each record in the partition's sequence.
    init(of offsets: some Sequence<Int64>) {
        for (number, offset) in offsets.enumerated() {
            switch Reading.fate(of: Int64(number)) {
            case .row, .rowOfTheDatabase: add(FoundRow(of: Int64(number), at: offset))
            case .notJSON, .refused: addLetter(at: offset)
            }
        }
    }
}

/// The differences between a partition's rows and the acknowledged records.
struct Differences: Equatable, Sendable {
    static let shown = 5

    /// One kind of difference: the number of rows, and the first offsets.
    struct Kind: Equatable, Sendable {
        var count = 0
        var examples: [Int64] = []

        mutating func add(_ offset: Int64, times: Int = 1) {
            count += times
            if examples.count < Differences.shown { examples.append(offset) }
        }
    }

    /// Rows that should exist but do not.
    var missing = Kind()
    /// Extra copies of rows.
    var doubled = Kind()
    /// Rows that belong to no acknowledged record, or have other contents.
    var unexpected = Kind()

    var isEmpty: Bool { self == Differences() }

    /// Compares two lists, both sorted by offset.
    mutating func compare(_ expected: [FoundRow], with found: [FoundRow]) {
        var next = 0
        var last: FoundRow?
        for row in found {
            if row == last {
                doubled.add(row.offset)
                continue
            }
            while next < expected.count, expected[next].offset < row.offset {
                missing.add(expected[next].offset)
                next += 1
            }
            if next < expected.count, expected[next] == row {
                next += 1
                last = row
            } else {
                unexpected.add(row.offset)
            }
        }
        for row in expected[next...] { missing.add(row.offset) }
    }

    /// One line for each kind of difference that was found.
    func lines(_ what: String, of partition: TopicPartition) -> [String] {
        let kinds = [("missing", missing), ("doubled", doubled), ("unexpected", unexpected)]
        return kinds.filter { $0.1.count > 0 }.map { name, kind in
            "\(what) of \(partition.topic) partition \(partition.partition): \(kind.count) \(name), at the offsets "
                + kind.examples.map { "\($0)" }.joined(separator: ", ")
                + (kind.count > kind.examples.count ? ", …" : "")
        }
    }
}
