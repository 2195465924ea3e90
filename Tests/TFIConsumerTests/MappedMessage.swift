import PGWire

@testable import TFIConsumer

/// What a message came to: the bytes of its row, or why it can't be one.
enum Mapped: Equatable {
    case row([UInt8])
    case rejected(String)
}

extension RowMapper {
    /// Maps one message, and checks that a rejection leaves the rows as they were.
    mutating func map(key: [UInt8]?, value: [UInt8]?) -> Mapped {
        var rows = CopyBuffer()
        rows.beginRow(columns: 1)
        rows.append(int4: 42)
        let before = Self.copy(rows)
        do throws(Rejection) {
            // The spans end with the calls; the arrays live on.
            let table = try unsafe table(forKey: key?.span.bytes)
            try unsafe append(value?.span.bytes, table: table, to: &rows)
        } catch {
            guard Self.copy(rows) == before, rows.rowCount == 1, !rows.hasOpenRow else {
                return .rejected("the rows have changed: \(error.reason)")
            }
            return .rejected(error.reason)
        }
        let isOneMore = rows.rowCount == 2 && !rows.hasOpenRow
        guard isOneMore else { return .rejected("not one whole row") }
        return .row(Array(Self.copy(rows).dropFirst(before.count)))
    }

    private static func copy(_ rows: borrowing CopyBuffer) -> [UInt8] {
        unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) }
    }
}

/// Maps a unit's passage with a mapper of its own.
func mapPassage(_ value: String) -> Mapped {
    mapPassage(Array(value.utf8))
}

func mapPassage(_ value: [UInt8]?) -> Mapped {
    var mapper = RowMapper()
    return mapper.map(key: Array("unit_collection_point".utf8), value: value)
}

/// A row of `ucp` in the form of binary COPY, written by hand from the manual's description.
///
/// - Parameter microseconds: Since 2000-01-01.
func passageRow(_ unit: Int32, _ microseconds: Int64, _ point: Int32, _ zone: Int32) -> Mapped {
    func big<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
    }
    func int4(_ value: Int32) -> [UInt8] { big(Int32(4)) + big(value) }
    return .row(big(Int16(4)) + int4(unit) + big(Int32(8)) + big(microseconds) + int4(point) + int4(zone))
}

/// A passage whose JSON a test changes in one place.
struct Passage {
    var unit = "71206360"
    var time = "\"2024-03-12 08:00:06.1\""
    var point = "34"
    var zone = "23"

    var json: String {
        "{\"qls_unit_id\":\(unit),\"unit_collection_pt_timestamp\":\(time),\"collection_point_id\":\(point),"
            + "\"zone_id\":\(zone)}"
    }

    /// 2024-03-12 08:00:06.1, in microseconds since 2000-01-01: 8,837 days and the time of the day.
    static let microseconds: Int64 = 8_837 * 86_400_000_000 + 28_806_100_000
    static let row = passageRow(71_206_360, microseconds, 34, 23)
}
