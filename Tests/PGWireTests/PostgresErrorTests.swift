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

    /// libpq's verbose messages, as versions 14 to 17 write them.
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
