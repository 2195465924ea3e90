import PGWire
import Testing

@testable import IngestEngine

@Suite("Row encoder: values")
struct RowEncoderTests {
    @Test(arguments: [
        ("12", 12), ("-2147483648", -2_147_483_648), ("\"+5\"", 5), ("\" 7\\n\"", 7), ("-0", 0), ("\"\\u0031\"", 1),
    ])
    func integersAreAcceptedAsNumbersAndText(_ value: String, _ expected: Int64) throws {
        #expect(try EncodedMessage(.int4, value).number == expected)
        #expect(try EncodedMessage(.int8, value).number == expected)
    }

    @Test(arguments: ["2147483648", "1.0", "1e3", "true", "\"12kg\"", "\"\"", "\"--1\"", "{}", "[1]"])
    func valuesOtherThanIntegersAreRejected(_ value: String) throws {
        let reason = try #require(try EncodedMessage(.int4, value).rejection)
        #expect(reason.hasPrefix("$.a for column \"a\": expected "))
        #expect(reason.contains("integer"))
    }

    @Test(arguments: ["\"0x1F\"", "\"1_000\"", "\"-0b1\""])
    func integersOfNewerServersAreLeftToTheServer(_ value: String) throws {
        #expect(try EncodedMessage(.int4, value).serverRow == "{\"a\":\(value)}")
    }

    @Test func floatsAreCorrectlyRounded() throws {
        for text in ["0.1", "-0.0", "9007199254740993", "1e22", "1e23", "2.2250738585072011e-308", "4.9e-324", "1e-5"] {
            #expect(try EncodedMessage(.float8, text).number == Int64(bitPattern: Double(text)!.bitPattern))
            #expect(try EncodedMessage(.float8, "\" \(text) \"").number == Int64(bitPattern: Double(text)!.bitPattern))
        }
        for text in ["0.1", "16777217", "16777217.000000001", "3.4028235e38", "1.4e-45"] {
            #expect(try EncodedMessage(.float4, text).number == Int64(Int32(bitPattern: Float(text)!.bitPattern)))
        }
    }

    @Test func floatsOutOfRangeAreRejected() throws {
        for text in ["1e400", "-1e400", "1e-400", "\"1e-400\""] {
            #expect(try EncodedMessage(.float8, text).rejection != nil)
        }
        #expect(try EncodedMessage(.float4, "1e-46").rejection != nil)
        #expect(try EncodedMessage(.float4, "3.5e38").rejection != nil)
        #expect(try EncodedMessage(.float8, "0e-400").number == 0)
    }

    @Test func numericKeepsEveryDigit() throws {
        // 123.4500: three groups, the weight of the first one, the sign, four digits after the point.
        #expect(
            try EncodedMessage(.numeric(nil), "123.4500").values == [[0, 2, 0, 0, 0, 0, 0, 4, 0, 123, 0x11, 0x94]])
        #expect(try EncodedMessage(.numeric(nil), "-0.00").values == [[0, 0, 0, 0, 0, 0, 0, 2]])
        #expect(try EncodedMessage(.numeric(nil), "-1e4").values == [[0, 1, 0, 1, 0x40, 0, 0, 0, 0, 1]])
        let long = "12345678901234567890123.5"
        #expect(
            try EncodedMessage(.numeric(nil), long).values == (try EncodedMessage(.numeric(nil), "\"\(long)\"")).values)
    }

    @Test func numericBeyondItsPrecisionIsRejectedAndUnclearCasesGoToTheServer() throws {
        let type = ColumnType.numeric(ColumnType.Precision(precision: 5, scale: 2))
        #expect(try EncodedMessage(type, "1000").rejection?.contains("numeric(5,2)") == true)
        #expect(try EncodedMessage(type, "999.995").serverRow == "{\"a\":999.995}")
        #expect(try EncodedMessage(type, "899.995").outcome == .row)
        // Exponents whose sum with the digits has no room in an Int.
        for number in ["1e9223372036854775807", "0.01e-9223372036854775808", "1e99999999999999999999"] {
            #expect(try EncodedMessage(type, number).serverRow == "{\"a\":\(number)}")
        }
    }

    @Test func textKeepsNumbersAndNestedValuesAsTheyAreWritten() throws {
        #expect(try EncodedMessage(.text, "1.50").text == "1.50")
        #expect(try EncodedMessage(.text, "{\"x\" : [1, 2] }").text == "{\"x\" : [1, 2] }")
        #expect(try EncodedMessage(.text, "true").text == "true")
        #expect(try EncodedMessage(.text, "\"a\\u00e9\\ud83d\\ude00\\n\\\"\"").text == "aé😀\n\"")
    }

    @Test func textThatIsTooLongIsRejectedUnlessOnlyBlanksExceedTheLimit() throws {
        #expect(try EncodedMessage(.varchar(3), "\"äöü\"").text == "äöü")
        #expect(try EncodedMessage(.varchar(3), "\"abc  \"").outcome == .row)
        #expect(try EncodedMessage(.varchar(3), "\"abcd\"").rejection?.contains("at most 3 characters") == true)
    }

    @Test func jsonKeepsItsTextAndStringsGetTheServersEscapes() throws {
        #expect(try EncodedMessage(.json, "{ \"x\":1.50,\"x\":2}").text == "{ \"x\":1.50,\"x\":2}")
        #expect(try EncodedMessage(.json, "\"\\u00e9\\/\\u0001\"").text == "\"é/\\u0001\"")
        #expect(try EncodedMessage(.jsonb, "[1]").values == [[1] + Array("[1]".utf8)])
        #expect(try EncodedMessage(.jsonb, "1e200000").serverRow != nil)
    }

    @Test func boolsUuidsAddressesAndLabels() throws {
        #expect(try EncodedMessage(.bool, "\" YES \"").values == [[1]])
        #expect(try EncodedMessage(.bool, "0").values == [[0]])
        #expect(try EncodedMessage(.bool, "2").rejection != nil)
        let uuid = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"
        #expect(try EncodedMessage(.uuid, "\"\(uuid)\"").values.first??.count == 16)
        #expect(try EncodedMessage(.uuid, "\"{\(uuid)}\"").serverRow != nil)
        #expect(try EncodedMessage(.uuid, "\"\(uuid.dropLast())\"").rejection != nil)
        #expect(try EncodedMessage(.inet, "\"10.0.0.1/8\"").values == [[2, 8, 0, 4, 10, 0, 0, 1]])
        #expect(try EncodedMessage(.inet, "\"::1\"").serverRow != nil)
        #expect(try EncodedMessage(.enumeration(["idle", "busy"]), "\"busy\"").text == "busy")
        #expect(
            try EncodedMessage(.enumeration(["idle", "busy"]), "\"Busy\"").rejection
                == "$.a for column \"a\": expected one of idle, busy, found \"Busy\"")
    }

    @Test func bytesAreParsedLikeTheServerOrByTheMappingsFormat() throws {
        #expect(try EncodedMessage(.bytea, "\"\\\\x00fF\"").values == [[0, 0xff]])
        #expect(try EncodedMessage(.bytea, "\"abc\"").text == "abc")
        #expect(try EncodedMessage(.bytea, "\"\\\\001\"").serverRow != nil)
        func formatted(_ format: ByteFormat, _ text: String) throws -> EncodedMessage {
            var column = RowPlan.Column("a", .bytea)
            column.bytes = format
            return try EncodedMessage([column], "{\"a\":\"\(text)\"}")
        }
        #expect(try formatted(.base64, "AP+/").values == [[0, 0xff, 0xbf]])
        #expect(try formatted(.base64, "AA==").values == [[0]])
        #expect(try formatted(.base64, "AA").values == [[0]])
        #expect(try formatted(.base64, "").values == [[]])
        for wrong in ["A", "AA=", "AB==", "A===", "====", "a b="] {
            #expect(try formatted(.base64, wrong).rejection != nil)
        }
        #expect(try formatted(.hex, "00fF").values == [[0, 0xff]])
        #expect(try formatted(.hex, "0").rejection?.contains("bytea as hex") == true)
    }

    @Test func arraysAreRectangular() throws {
        let type = ColumnType.array(element: .int2, elementOID: 21)
        let head: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 0, 0, 0, 2, 0, 0, 0, 1]
        #expect(
            try EncodedMessage(type, "[7, null]").values == [head + [0, 0, 0, 2, 0, 7, 0xff, 0xff, 0xff, 0xff]])
        #expect(try EncodedMessage(type, "[]").values == [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 21]])
        #expect(try EncodedMessage(type, "[[1,2],[3,4]]").values.first??.count == 12 + 16 + 4 * 6)
        for wrong in ["[[1],[2,3]]", "[[1],2]", "[1,[2]]", "[\"x\"]", "{}", "7"] {
            #expect(try EncodedMessage(type, wrong).rejection != nil, "\(wrong)")
        }
        for rare in ["[[]]", "\"{1,2}\""] { #expect(try EncodedMessage(type, rare).serverRow != nil) }
    }
}
