import PGWire
import Testing

@testable import IngestEngine

@Suite("Row encoder: messages")
struct RowEncoderMessageTests {
    static let columns = [RowPlan.Column("a", .int4), RowPlan.Column("b", .text)]

    @Test func fieldsAreFoundInAnyOrderAndWhiteSpace() throws {
        for message in [
            "{\"a\":1,\"b\":\"x\"}", " {\n\"b\" : \"x\" , \"c\":[{\"a\":2}], \"a\" :\t1 } \r\n",
            "{\"\\u0061\":1,\"b\":\"x\"}", "{\"a\":7,\"b\":\"x\",\"a\":1}",
        ] {
            #expect(try EncodedMessage(Self.columns, message).values == [[0, 0, 0, 1], [0x78]], "\(message)")
        }
        #expect(try EncodedMessage(Self.columns, "{\"A\":1,\"b\":null}").values == [nil, nil])
    }

    @Test(arguments: [
        ("", "it ends too early"), ("{", "a field's name"), ("{\"a\":1", "a comma or a closing brace"),
        ("{\"a\":01}", "a number"), ("{\"a\":1,}", "a field's name"), ("{\"a\" 1}", "a colon"),
        ("[1]", "not a JSON object"),
        ("{\"c\":\"\\u0000\"}", "\\u0000"), ("{\"c\\u0000\":1}", "\\u0000"), ("{\"c\":[\"\\ud800x\"]}", "surrogate"),
        ("{\"c\":\"\u{1}\"}", "control character"), ("{\"c\":\"\\x\"}", "escape"), ("{} x", "follows"),
        ("{\"c\":[1 2]}", "closing bracket"), ("{\"c\":tru}", "a value"), ("{\"c\":-}", "a number"),
    ])
    func whatIsNotJSONIsRejected(_ message: String, _ reason: String) throws {
        let rejection = try #require(try EncodedMessage(Self.columns, message).rejection)
        #expect(rejection.contains(reason), "\(rejection)")
    }

    @Test func invalidUTF8IsRejectedWhereverItIs() throws {
        let message = Array("{\"c\":\"".utf8) + [0xc3] + Array("\"}".utf8)
        #expect(try EncodedMessage(Self.columns, message).rejection?.contains("not UTF-8") == true)
    }

    @Test func nestingIsAcceptedUpToItsLimit() throws {
        func nested(_ depth: Int) -> String {
            "{\"c\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(try EncodedMessage(Self.columns, nested(8000)).outcome == .row)
        #expect(try EncodedMessage(Self.columns, nested(9000)).rejection?.contains("8192") == true)
        let column = [RowPlan.Column("c", .jsonb)]
        #expect(try EncodedMessage(column, nested(100)).outcome == .row)
        #expect(try EncodedMessage(column, nested(1000)).serverRow != nil)
    }

    @Test func pathsLeadIntoObjectsAndArraysAndTheLastDuplicateWins() throws {
        let columns = [
            try RowPlan.Column("x", .int4, path: "$.h.x"), try RowPlan.Column("y", .text, path: "$.h"),
            try RowPlan.Column("z", .int4, path: "$.l[1].z"), try RowPlan.Column("w", .int4, path: "$['a b']['\"']"),
        ]
        let message = #"{"h":{"x":1},"l":[0,{"z":2},{"z":3}],"h":{"X":9},"a b":{"\"":5}}"#
        #expect(
            try EncodedMessage(columns, message).values
                == [nil, Array("{\"X\":9}".utf8), [0, 0, 0, 2], [0, 0, 0, 5]])
        let whole = [try RowPlan.Column("v", .json, path: "$")]
        #expect(try EncodedMessage(whole, " [1, 2]").text == "[1, 2]")
    }

    @Test func messagesOfTheSameFormAreReadLikeTheFirst() throws {
        let columns = [
            RowPlan.Column("a", .int4), try RowPlan.Column("x", .text, path: "$.h.x"),
            try RowPlan.Column("z", .int4, path: "$.l[1]"),
        ]
        var encoder = try RowEncoder(RowPlan(columns: columns))
        func values(_ message: String) throws -> String {
            var rows = CopyBuffer()
            let bytes = Array(message.utf8)
            let outcome = unsafe encoder.encode(
                value: bytes.span.bytes, key: nil, metadata: RecordMetadata(partition: 0, offset: 0), into: &rows)
            #expect(try outcome == EncodedMessage(columns, message).outcome)
            let row = unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) }
            return row.map { String($0, radix: 16) }.joined(separator: " ")
        }
        let first = try values(#"{"a": 1, "u":[{}], "h":{"x":"p","y":0}, "l":[1,2,3]}"#)
        for (message, isSame) in [
            (#"{"a": 1, "u":[{}], "h":{"x":"p","y":0}, "l":[1,2,3]}"#, true),
            (#"{"a": 1, "u":null, "h":{"x":"p","y":{"x":"q"}}, "l":[9,2,"é"]}"#, true),
            (#"{"a": 1, "u":[{}], "h":{"x":"p","y":0}, "l":[1,2]}"#, true),
            (#"{"a": 1, "u":[{}], "h":null, "l":[1,2,3]}"#, false),
            (#"{"a": 1, "u":[{}], "h":{"x":"p","y":0}, "l":[1,2,3]} "#, true),
            (#"{"a": 1, "h":{"x":"p","y":0}, "l":[1,2,3],"h":{}}"#, false),
            (#"{"a": 1, "u":[{}], "h":{"x":"p","y":0}, "l":[1,2,3]"#, false),
            (#"{"a": 1, "u":[{}], "h":{"x":"p","y":01}, "l":[1,2,3]}"#, false),
            (#"{"a": 1, "u":[{}], "h":{"x":"p","y":0}, "l":[1,2,3]}"#, true),
        ] {
            #expect(try (values(message) == first) == isSame, "\(message)")
        }
        let hits = encoder.scanner.allHits
        #expect(hits >= 1)
    }

    @Test func namesOfEveryLengthAreFound() throws {
        for length in 1...40 {
            let names = ["", "x", "y"].map { String(repeating: "n", count: length) + $0 }
            let columns = names.map { RowPlan.Column($0, .int4) }
            let fields = names.enumerated().map { "\"\($1)\":\($0)" }
            for order in [fields, fields.reversed()] {
                let message = "{" + order.joined(separator: ",") + "}"
                #expect(try EncodedMessage(columns, message).values == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 2]])
            }
        }
    }

    @Test func stringsEndAtEveryOffsetOfAWord() throws {
        for length in 0...40 {
            for special in ["", "é", "\\n", "\\\\", "\u{7f}"] {
                let text = String(repeating: "x", count: length) + special
                let message = try EncodedMessage([RowPlan.Column("b", .text)], "{\"b\":\"\(text)\"}")
                let plain = text.replacing("\\n", with: "\n").replacing("\\\\", with: "\\")
                #expect(message.text == plain)
            }
        }
    }

    @Test func missingValuesGetTheDefaultOrAreRejected() throws {
        var column = RowPlan.Column("a", .int4)
        column.isNotNull = true
        #expect(
            try EncodedMessage([column], "{}").rejection
                == "$.a for column \"a\" (integer) is missing or null, which the column does not take")
        column.defaultText = "7"
        #expect(try EncodedMessage([column], "{\"a\":null}").values == [[0, 0, 0, 7]])
        #expect(
            try EncodedMessage([column, RowPlan.Column("i", .interval)], "{\"i\":\"1 s\"}").serverRow
                == "{\"a\":\"7\",\"i\":\"1 s\"}")
        column.defaultText = "seven"
        #expect(throws: RowPlanError.self) { _ = try EncodedMessage([column], "{}") }
        var json = RowPlan.Column("j", .json)
        json.defaultText = "{\"x\":1}"
        #expect(try EncodedMessage([json], "{}").text == "{\"x\":1}")
    }

    @Test func theRestIsAnObjectOfTheFieldsThatNoPathBeginsWith() throws {
        let rest = RowPlan.Column(name: "rest", type: .jsonb, source: .rest)
        let columns = [try RowPlan.Column("x", .int4, path: "$.h.x"), rest]
        let message = Array(#"{"c" : [1, 2],"h":{"x":1,"y":2},"d":"\u00e9"}"#.utf8)
        #expect(
            try EncodedMessage(columns, message).values == [
                [0, 0, 0, 1], [1] + Array(#"{"c" : [1, 2],"d":"\u00e9"}"#.utf8),
            ])
        #expect(
            try EncodedMessage(columns, Array("{}".utf8), unknownFields: .deadLetter).values == [
                nil, [1] + Array("{}".utf8),
            ])
        #expect(
            try EncodedMessage(
                [RowPlan.Column("a", .int4)], Array("{\"a\":1,\"zz\":2}".utf8), unknownFields: .deadLetter
            )
            .rejection == "no column takes the field \"zz\"")
    }

    @Test func metadataFitsTheTypesThatItSuits() throws {
        func source(_ source: Route.Source, _ type: ColumnType, key: [UInt8]? = nil) throws -> EncodedMessage {
            try EncodedMessage(
                [RowPlan.Column(name: "m", type: type, source: source)], Array("{\"a\":1}".utf8), key: key
            ) { encoder in
                encoder.setTopic("press")
                let header: [UInt8] = Array("trace".utf8)
                for index in encoder.headerNames.indices { unsafe encoder.setHeader(index, header.span.bytes) }
            }
        }
        #expect(try source(.record(.offset), .int8).number == 42)
        #expect(try source(.record(.offset), .text).text == "42")
        #expect(try source(.record(.partition), .int4).number == 3)
        #expect(try source(.record(.timestamp), .timestamptz(precision: 6)).number == 1000)
        #expect(try source(.record(.timestamp), .int8).number == 946_684_800_001)
        #expect(try source(.record(.topic), .text).text == "press")
        #expect(try source(.record(.topic), .jsonb).values == [[1] + Array("\"press\"".utf8)])
        #expect(try source(.record(.value), .text).text == "{\"a\":1}")
        #expect(try source(.record(.value), .jsonb).values == [[1] + Array("{\"a\":1}".utf8)])
        #expect(try source(.record(.key), .bytea, key: [0, 0xff]).values == [[0, 0xff]])
        #expect(try source(.record(.key), .text, key: [0, 0xff]).rejection?.contains("UTF-8") == true)
        #expect(try source(.record(.key), .json, key: Array("{".utf8)).rejection != nil)
        // The server would receive these as JSON text, which allows neither invalid UTF-8 nor zero bytes.
        for type in [.other, .interval, .inet, .array(element: .text, elementOID: 25)] as [ColumnType] {
            for key in [[0x31, 0xff], [0x31, 0]] as [[UInt8]] {
                #expect(try source(.record(.key), type, key: key).rejection?.contains("UTF-8") == true)
            }
            #expect(try source(.record(.key), type, key: Array("1ü".utf8)).serverRow == #"{"m":"1ü"}"#)
        }
        #expect(try source(.record(.key), .text).values == [nil])
        #expect(try source(.header("traceparent"), .text).text == "trace")
    }

    @Test func aRejectionQuotesLittleAndEscapesControls() throws {
        let text = "\u{202e}" + String(repeating: "y", count: 500)
        let reason = try #require(try EncodedMessage(.int4, "\"\(text)\"").rejection)
        #expect(reason.utf8.count < 160 && reason.hasSuffix("…") && reason.contains("\\u{202e}"))
    }

    @Test func aRejectedRowLeavesTheBufferAsItWas() throws {
        var encoder = try RowEncoder(RowPlan(columns: [RowPlan.Column("b", .text), RowPlan.Column("a", .int4)]))
        var rows = CopyBuffer()
        let metadata = RecordMetadata(partition: 0, offset: 0)
        for message in ["{\"a\":1,\"b\":\"x\"}", "{\"a\":\"?\",\"b\":\"x\"}", "{\"a\":\"0x1\",\"b\":\"x\"}"] {
            let bytes = Array(message.utf8)
            _ = unsafe encoder.encode(value: bytes.span.bytes, key: nil, metadata: metadata, into: &rows)
        }
        let (rowCount, byteCount, isOpen) = (rows.rowCount, rows.byteCount, rows.hasOpenRow)
        #expect(rowCount == 1 && byteCount == 2 + 5 + 8 && !isOpen)
        #expect(
            encoder.encode(value: nil, key: nil, metadata: metadata, into: &rows)
                == .rejected("the record has no value"))
    }
}
