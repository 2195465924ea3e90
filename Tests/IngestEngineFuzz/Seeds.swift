import IngestEngine

extension IngestFuzzer {
    static let mappings = [
        """
        routes:
          - topic: TFI
            when: { key: unit_collection_point, header: { kind: a }, field: { $.k: "1", "$['a b'][3]": "" } }
            table: workshop.ucp
            value: { decompress: zstd }
            json: $.payload
            each: $.items[*]
            columns:
              item: $.a
              of_message: { message: $.id }
              of_envelope: { envelope: $.time, format: iso8601 }
        """,
        """
        routes:
          - topic: "press-.*"
            table: press_event
            columns:
              machine: $.head.machine
              at: { path: $.ts, format: unix_ms }
              shift_at: { path: $.local, format: "dd.MM.yyyy HH:mm:ss", zone: Europe/Madrid }
              weight: { path: $.w, default: 0 }
              trace: { header: traceparent }
              source: { record: offset }
              rest: { rest: true }
          - topic: machine-state
            table: machine_state
            mode: upsert
            key: [machine]
            tombstone: delete
          - topic: t
            table: 'plant."press 4.2"'
            mode: ignore
            key: id
        unknown_fields: dead_letter
        unrouted: ignore
        dead_letter_limit: { share: 0.1, of: 1_000, total: 5 }
        on_partition_error: stop
        """,
        "routes: [{topic: t, table: t, columns: {a: {path: $.a, format: base64}, ? b : {path: b, format: hex}}}]",
        "routes:\n- topic: t\n  table: t\n  columns:\n    ? |-\n      größe\n    : >\n      \"x\"\n",
        "routes: &a [*a]", "routes: []", "? a\n: b", "{", "\u{feff}routes: ~",
    ]

    static let paths = [
        "$", "$.head.machine", "$['a b'][3]", "$.x[0].y['it\\'s']", "name", "$..x", "$[99999999999999999999]", "$['",
        "$.größe", "a\u{1e}$.a.b\u{1e}$.a[1]\u{1e}$['a\\\\\"\u{7}']\u{1e}$.e\u{301}\u{1e}$.é",
    ]

    static let samples = [
        "0{\"a\":1,\"b\":\"2024-03-12\",\"c\":{\"d\":1.5,\"e\":null}}\u{1e}0{\"a\":3000000000,\"b\":\"x\",\"c\":{}}",
        "1{\"a\":true,\"t\":\"2024-03-12T06:15:00Z\"}\u{1e}2{\"u\":\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\",\"4 ä\":[1]}",
    ]

    // MARK: Messages

    /// A column in the format of ``EncoderInput``.
    private static func column(
        _ type: ColumnType, source: UInt8 = 0, options: UInt8 = 0, format: UInt8 = 0
    ) -> [UInt8] {
        [UInt8(EncoderInput.types.firstIndex(of: type) ?? 0), source, options, format]
    }

    private static func seed(_ columns: [[UInt8]], _ messages: [String], refusesUnknown: Bool = false) -> [UInt8] {
        let first = UInt8(columns.count - 1) | (refusesUnknown ? 0x80 : 0)
        return [first] + columns.joined() + Array(messages.joined(separator: "\u{1e}").utf8)
    }

    static let messages: [[UInt8]] = [
        // The types that the fast path supports.
        seed(
            [
                column(.int4), column(.text), column(.timestamp(precision: 6)), column(.int8), column(.float8),
                column(.bool), column(.int2), column(.date), column(.timestamptz(precision: 6)),
                column(.int8, source: 0xfc),
            ],
            [
                #"{"a":1,"b":"x","c":"2024-03-12 08:00:06.1","d":5,"e":1.5,"f":true,"g":7,"h":"2024-03-12","i":"2024-03-12T08:00:06Z"}"#,
                #"{"a":-71204310,"b":"größer","c":null,"d":9223372036854775807,"e":-0,"f":false,"g":-1,"h":"2024-02-29","i":"2024-03-12T08:00:06.123456"}"#,
            ]),
        seed(
            [column(.int4, options: 1), column(.text), column(.timestamp(precision: 6)), column(.date, options: 8)],
            [
                #"{"a": 1, "x": [1, {"a": "\u00e9"}], "c": "2024-03-12 08:00:06", "d": "2024-03-12"}"#,
                #"{"a": 1, "x": null, "c": "2024-03-12 24:00:00", "d": "2024-03-12"}"#,
            ]),
        seed(
            [column(.int4), column(.int8), column(.int2), column(.int4)],
            [#"{"d":1,"a":2}"#, #"{"d":10,"a":20}"#, #"{"d":1e1,"a":02}"#], refusesUnknown: true),
        seed(
            [
                column(.numeric(ColumnType.Precision(precision: 9, scale: 3))), column(.varchar(4)), column(.jsonb),
                column(.array(element: .int4, elementOID: 23)), column(.uuid), column(.bytea),
            ],
            [
                #"{"a":1.25,"b":"abcd","c":{"x":[1,2]},"d":[[1,2],[3,null]],"e":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","f":"\\x00ff"}"#
            ]),
        seed(
            [
                column(.inet), column(.interval), column(.float4), column(.timestamp(precision: 3), format: 3),
                column(.timestamptz(precision: 6), options: 0x40, format: 6), column(.bytea, options: 0x10),
                column(.text, source: 0xf6), column(.json, source: 0xfe), column(.jsonb, source: 0xf0),
                column(.bytea, source: 0xff),
            ],
            [
                #"{"a":"10.0.0.1/8","b":"1 day","c":1e-40,"d":1710223200123,"e":"12.03.2024 06:15:00","f":"AAEC","m":{"x":[0,{"y":"z"}]},"q":0}"#,
                #"{"a":"10.0.0.1/8","c":1e-40,"d":1710223200123,"e":"31.03.2024 02:15:00","f":"AAEC","m":{"x":[0,{"y":"z"}]},"q":0}"#,
            ]),
        seed(
            [
                column(.numeric(nil)), column(.char(3)), column(.time(precision: 6)),
                column(.enumeration(["idle", "größer", "1"])),
                column(.array(element: .jsonb, elementOID: 3802)), column(.array(element: .text, elementOID: 25)),
                column(.array(element: .timestamptz(precision: 6), elementOID: 1184)), column(.json), column(.other),
            ],
            [
                #"{"a":123456789012345678901234567890.5e-7,"b":"ab ","c":"08:00:06.5","d":"idle","e":[{"x":1},"y",null],"f":["a","\u00e9"],"g":["2024-03-12T08:00:06+01:00"],"h":{"a":[1 ,2]}}"#,
                #"{"a":"NaN","b":"abc   ","c":"24:00","d":1,"e":[],"f":[["a"],["b"]],"g":"{now}","h":"\u0001","i":[]}"#,
            ]),
        seed(
            [
                column(.text, source: 0xf1), column(.jsonb, source: 0xf2), column(.json, source: 0xf4),
                column(.text, source: 0xf5), column(.text, source: 0xf7), column(.text, source: 0xf8),
                column(.text, source: 0xf9), column(.text, source: 0xfa),
                column(.timestamptz(precision: 6), source: 0xfd),
            ],
            [#"{"a":"x","m":{"f":1,"f":2},"größe-of-a-long-name":"y"}"#, #"{"a":1,"m":{"f":1},"m":{}}"#]),
    ]
}
