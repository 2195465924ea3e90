import KafkaWire

/// The records of the run: one sequence per partition. The sequence number determines a record's contents.
enum Reading {
    /// What a record becomes.
    enum Fate: Equatable, Sendable {
        /// A row written by COPY.
        case row
        /// A row with an interval, which only the database can parse.
        case rowOfTheDatabase
        /// A dead letter: it is not JSON.
        case notJSON
        /// A dead letter: the table's constraint refuses it.
        case refused
    }

    private static let refusedModulus = 1_999
    private static let refusedRemainder = 7

    static func fate(of number: Int64) -> Fate {
        if number % Int64(refusedModulus) == Int64(refusedRemainder) { return .refused }
        if number % 997 == 5 { return .notJSON }
        return number % 10 == 3 ? .rowOfTheDatabase : .row
    }

    /// A value derived from the sequence number, which reveals a row with another record's contents.
    static func value(of number: Int64) -> Int64 {
        Int64(SeededRandom.mix(UInt64(bitPattern: number)) >> 33)
    }

    static func json(of number: Int64) -> [UInt8] {
        let start = "{\"seq\":\(number),\"value\":\(value(of: number))"
        return switch fate(of: number) {
        case .row, .refused: Array("\(start)}".utf8)
        case .rowOfTheDatabase: Array("\(start),\"took\":\"1 day 02:00\"}".utf8)
        case .notJSON: Array(start.utf8)
        }
    }

    /// The table, in a schema that holds nothing else. It has no unique index, which would hide rows that come twice.
    static let definition = """
        CREATE TABLE reading (
            topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL,
            seq bigint NOT NULL CHECK (seq % \(refusedModulus) <> \(refusedRemainder)), value bigint NOT NULL,
            took interval)
        """

    /// The mapping file.
    static func mapping(schema: String) -> String {
        """
        routes:
          - topic: "chaos-.*"
            table: \(schema).reading
            columns:
              topic: { record: topic }
              partition: { record: partition }
              offset: { record: offset }
              seq: $.seq
              value: $.value
              took: $.took
        # The refused ones are meant.
        dead_letter_limit: { total: 1000000000 }
        """
    }
}
