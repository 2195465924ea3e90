import Testing

@testable import PGWire

@Suite struct PostgresErrorTests {
    @Test(arguments: [
        ("22P03", true, false), ("23505", true, false), ("P0001", true, false), ("54000", true, false),
        ("40001", false, true), ("40P01", false, true), ("53100", false, true), ("55P03", false, true),
        ("57P01", false, true), ("57P03", false, true), ("08006", false, true), ("08P01", false, false),
        ("57014", false, false), ("42P01", false, false), ("P0002", false, false), ("28P01", false, false),
    ])
    func classes(_ sqlState: String, _ isDataError: Bool, _ isTransient: Bool) {
        let error = PostgresError(.server, "text", sqlState: sqlState)
        #expect(error.isDataError == isDataError)
        #expect(error.isTransient == isTransient)
        #expect(!error.isConnectionLoss)
    }

    @Test(arguments: [
        ("23505", true), ("XY001", true), ("P0004", true), ("P0002", true), ("XX000", true), ("55000", true),
        ("57014", false), ("57P01", false), ("53100", false), ("40001", false), ("55P03", false), ("42501", false),
        ("25006", false), ("58030", false), ("08006", false), ("28000", false), ("XX001", false),
    ])
    func everyErrorExceptTheEnvironmentsMayBeCausedByARow(_ sqlState: String, _ mayBe: Bool) {
        var error = PostgresError(.server, "text", sqlState: sqlState)
        #expect(error.mayBeCausedByRow == mayBe)
        error.context = "COPY ucp, line 7"
        #expect(error.mayBeCausedByRow == mayBe)
        error.kind = .cancelled
        #expect(!error.mayBeCausedByRow)
    }

    @Test func aStatementErrorIsCausedByARowOnlyIfALineIsNamed() {
        var error = PostgresError(.server, "relation \"x\" does not exist", sqlState: "42P01")
        #expect(!error.mayBeCausedByRow)
        error.context = "PL/pgSQL function check_row() line 3 at PERFORM\nCOPY ucp, line 7"
        #expect(error.mayBeCausedByRow)
    }

    @Test(arguments: [
        ("COPY ucp, line 123", "ucp", 123), ("COPY ucp, line 3, column zone_id2", "ucp", 3),
        ("COPY t2024, line 5, column c1", "t2024", 5), ("COPY ucp, Zeile 17, Spalte zone_id", "ucp", 17),
        ("COPY ucp, 行 9, 列 zone_id", "ucp", 9), ("COPY a, line 7 b, line 8", "a, line 7 b", 8),
        ("SQL function \"f\" statement 1\nPL/pgSQL function g() line 3 at SQL statement\nCOPY ucp, line 44", "ucp", 44),
        ("PL/pgSQL function g() line 3 at RAISE", "ucp", nil), ("COPY ucp", "ucp", nil),
        ("COPY ucp, line 99999999999999999999", "ucp", nil),
    ])
    func theLineOfACopyIsFound(context: String, table: String, line: Int?) {
        var error = PostgresError(.server, "text", sqlState: "23514")
        #expect(error.copyLine(of: table) == nil)
        error.context = context
        #expect(error.copyLine(of: table) == line)
    }

    @Test func kinds() {
        #expect(PostgresError(.connectionLost, "gone").isTransient)
        #expect(PostgresError(.connectionLost, "gone", sqlState: "57P01").isConnectionLoss)
        #expect(!PostgresError(.connectionLost, "gone", sqlState: "23505").isDataError)
        #expect(PostgresError(.connect, "refused").isTransient)
        #expect(!PostgresError(.connect, "no such role", sqlState: "28000").isTransient)
        #expect(!PostgresError(.usage, "wrong").isTransient)
        #expect(!PostgresError(.cancelled, "stopped", sqlState: "57014").isTransient)
    }

    @Test func description() {
        var error = PostgresError(.server, "incorrect binary data format", sqlState: "22P03")
        error.context = "COPY ucp, line 3, column zone_id\nand more"
        #expect(
            error.description
                == "Postgres refused the statement: incorrect binary data format "
                + "(SQLSTATE 22P03; COPY ucp, line 3, column zone_id).")
        #expect(PostgresError(.usage, "The connection is closed").description == "The connection is closed.")
    }

    /// libpq's verbose messages in versions 14 to 17.
    @Test func connectRefusals() {
        let refused = PostgresError.connectRefusal(
            "connection to server at \"127.0.0.1\", port 5 failed: Connection refused\n"
                + "\tIs the server running on that host and accepting TCP/IP connections?\n")
        #expect(refused.sqlState == nil)
        #expect(refused.message == "connection to server at \"127.0.0.1\", port 5 failed: Connection refused")
        let unknown = PostgresError.connectRefusal(
            "connection to server at \"a\", port 5 failed: Connection refused\n\tIs the server running?\n"
                + "connection to server at \"b\", port 5 failed: FATAL:  3D000: database \"x\" does not exist\n"
                + "LOCATION:  InitPostgres, postinit.c:885\n")
        #expect(unknown.sqlState == "3D000")
        #expect(
            unknown.message
                == "connection to server at \"a\", port 5 failed: Connection refused; "
                + "connection to server at \"b\", port 5 failed: FATAL: database \"x\" does not exist")
    }

    @Test(arguments: [
        ("missing \"=\" after \"sesame\" in connection info string", "missing \"=\" after …"),
        ("odd \"sesame", "odd …"), ("\"sesame\" odd", "libpq doesn't understand it"),
        ("", "libpq doesn't understand it"),
        ("invalid percent-encoded token: \"a\"sesame%\"\n", "invalid percent-encoded token …"),
        ("missing \"=\" after \"=\"sesame\"", "missing \"=\" after …"),
        ("invalid token: \"=\"sesame\"", "invalid token …"),
        ("option de connexion « sesame » invalide", "option de connexion …"),
        ("ungültig: »sesame«", "ung …"),
    ])
    func libpqsMessageEndsAtItsFirstQuotation(text: String, shown: String) {
        #expect(ConnectionParameters.beforeQuotation(text) == shown)
        #expect(!ConnectionParameters.beforeQuotation(text).contains("sesame"))
    }

    @Test func valuesAsText() {
        #expect(PostgresValue(Int?.none) == .null)
        #expect(PostgresValue(UInt64.max) == .text("18446744073709551615"))
        #expect(PostgresValue(UInt8(7)) == 7)
        #expect(PostgresValue.double(-.infinity).wireBytes == Array("-inf".utf8))
        #expect(PostgresValue.bool(true).wireBytes == [0x74])
        #expect(PostgresValue.null.wireBytes == nil)
    }
}
