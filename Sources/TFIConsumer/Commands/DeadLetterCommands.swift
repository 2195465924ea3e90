import CommandLineSupport
import Foundation
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer dead-letters …`: the messages that could not become rows.
enum DeadLetterCommands {
    static let all = [list, show, retry, discard]

    // MARK: Options

    private static let ids = Option(
        repeated: "id", .int(1...Int.max),
        help: "The letter with this number; may be repeated.")
    private static let id = Option(optional: "id", .int(1...Int.max), help: "The letter's number, as 'list' shows it.")
    private static let reason = Option(optional: "reason", .string, help: "Letters whose reason contains this text.")
    private static let fromTopic = Option(optional: "from-topic", .topic, help: "Letters from this topic.")
    private static let partition = Option(
        optional: "partition", .int(0...Int(Int32.max)), help: "Letters from this partition.")
    private static let offset = Option(optional: "offset", .int(0...Int.max), help: "The letter with this offset.")
    private static let since = Option(
        optional: "since", .string, placeholder: "TIME", help: "Letters received at this time or later.")
    private static let until = Option(
        optional: "until", .string, placeholder: "TIME", help: "Letters received before this time.")
    private static let includesResolved = Option(
        flag: "all", help: "Includes letters that were retried or discarded.")
    private static let limit = Option(
        "limit", .int(1...1_000_000), default: 100,
        help: "The largest number of letters to show.")
    private static let json = Option(flag: "json", help: "Prints JSON.")
    private static let yes = Option(flag: "yes", help: "Does not ask for confirmation.")
    private static let dryRun = Option(flag: "dry-run", help: "Shows what would happen, and changes nothing.")

    private static let selecting: [any OptionDeclaration] = [
        ids, reason, fromTopic, partition, offset, since, until,
    ]
    private static let reaching: [any OptionDeclaration] = [ConsumerOptions.database, ConsumerOptions.schema]

    private static func selection(_ options: ParsedOptions) -> LetterBox.Selection {
        var selection = LetterBox.Selection()
        selection.ids = options[ids].map { Int64($0) }
        selection.reason = options[reason]
        selection.topic = options[fromTopic]
        selection.partition = options[partition].map { Int32($0) }
        selection.offset = options[offset].map { Int64($0) }
        selection.since = options[since]
        selection.until = options[until]
        return selection
    }

    private static func withLetters<Value: Sendable>(
        _ options: ParsedOptions, _ body: (LetterBox, PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let tables = try await DatabaseAccess.ownTables(
                in: options[ConsumerOptions.schema], needed: [OwnTables.deadLetter.name],
                createdBy: InitCommand.forAnyMapping, over: connection)
            do {
                return try await body(LetterBox(tables, user: Confirmation.userAndHost), connection)
            } catch let error as PostgresError where ["22007", "22008"].contains(error.sqlState) {
                throw Failure("--since or --until: \(error.message)", status: .usage)
            }
        }
    }

    // MARK: Looking

    private static let list = Command(
        name: "dead-letters list", abstract: "Lists messages that could not become rows and are still open.",
        options: reaching + selecting + [includesResolved, limit, json],
        statuses: [.success, .usage, .unavailable, .configuration]
    ) { options in
        var selection = selection(options)
        selection.includesResolved = options[includesResolved]
        let most = options[limit]
        let (letters, count) = try await withLetters(options) { [selection] box, connection in
            (
                try await box.letters(selection, limit: most, connection),
                try await box.count(selection, connection)
            )
        }
        if options[json] {
            try await Output.standard.write(JSONValue.array(letters.map(\.json)).text + "\n")
            return
        }
        var text = ""
        for letter in letters {
            text += "\(letter.id)  \(letter.receivedAt)  \(letter.place)  \(letter.reason)"
            if letter.retries > 0 { text += "  (retried \(letter.retries) times)" }
            if let resolution = letter.resolution { text += "  [\(resolution)]" }
            text += "\n"
        }
        if count > letters.count { text += "and \(Numbers.grouped(count - letters.count)) more: see --limit\n" }
        if count == 0 { text = "no letters\n" }
        try await Output.standard.write(text)
    }

    private static let show = Command(
        name: "dead-letters show", abstract: "Shows one message in full.", options: reaching + [id, json],
        statuses: [.success, .usage, .unavailable, .configuration]
    ) { options in
        var selection = LetterBox.Selection()
        selection.ids = [Int64(try options.required(id))]
        selection.includesResolved = true
        let letters = try await withLetters(options) { [selection] box, connection in
            try await box.letters(selection, limit: 1, connection)
        }
        guard let letter = letters.first else {
            throw Failure("no letter has this number; 'dead-letters list' shows all of them", status: .usage)
        }
        try await Output.standard.write(options[json] ? letter.json.text + "\n" : letter.text)
    }

    // MARK: Doing

    private static let discard = Command(
        name: "dead-letters discard",
        abstract: "Marks messages so that they are not retried any more. They stay in "
            + "the table.",
        options: reaching + selecting + [yes, dryRun], statuses: [.success, .usage, .unavailable, .configuration]
    ) { options in
        let selection = selection(options)
        let isTrial = options[dryRun]
        try await withLetters(options) { box, connection in
            let count = try await box.count(selection, connection)
            if isTrial || count == 0 {
                StatusLine.shared.message("letters that would be discarded: \(Numbers.grouped(count))")
                return
            }
            if !options[yes] { try await Confirmation.ask("discard \(Numbers.grouped(count)) letters") }
            let discarded = try await box.discard(selection, connection)
            StatusLine.shared.message("letters that were discarded: \(Numbers.grouped(discarded))")
        }
    }

    private static let retry = Command(
        name: "dead-letters retry", abstract: "Runs messages through the mapping again.",
        discussion: [
            "For each message one transaction writes its rows and marks it as done, so that no row comes twice however "
                + "the command ends. A message that still cannot become rows stays, with the new reason.",
            "It selects messages that --group has read, and those recorded before the table had a column for the "
                + "group. It skips messages of topics that the mapping does not read.",
            "A message counts as if it arrived now: in a table of the mode upsert it replaces a newer row of its key.",
        ],
        options: reaching + [CommonOptions.topic] + MappingOptions.all + [ConsumerOptions.group] + selecting + [
            yes, dryRun, json,
        ],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .configuration]
    ) { options in
        let sources = try await MappingOptions.read(options)
        var selection = selection(options)
        selection.group = options[ConsumerOptions.group]
        let isTrial = options[dryRun]
        let result = try await withLetters(options) { [selection] box, connection in
            let count = try await box.count(selection, connection)
            let plan = try await bind(sources, selection.group, connection)
            if count > 0, plan.replacesRows {
                Log.ofCommand.warning(
                    "an old message may replace or delete a newer row of its key, since the mapping has tables of the "
                        + "mode upsert or deletes by tombstones")
            }
            if count > 0, !isTrial, !options[yes] {
                try await Confirmation.ask("retry \(Numbers.grouped(count)) letters")
            }
            let stop = StopSignal.listening()
            let result = try await retry(selection, of: count, plan, sources, isTrial: isTrial, stop, box, connection)
            if stop.isRequested { Log.ofCommand.warning("interrupted: the remaining letters stay open") }
            return result
        }
        StatusLine.shared.clear()
        let would = isTrial ? "would be " : ""
        StatusLine.shared.message(
            "\(would)stored: \(Numbers.grouped(result.stored)) letters (\(Numbers.grouped(result.rows)) rows), "
                + "\(would)rejected again: \(Numbers.grouped(result.rejected))")
        if result.others > 0 {
            StatusLine.shared.message(
                "skipped: \(Numbers.grouped(result.others)) letters of topics that the mapping does not read")
        }
        for (kind, count) in result.reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(10) {
            StatusLine.shared.message("  \(count) × \(kind)")
        }
        if options[json] {
            let object: JSONValue = [
                "stored": .integer(result.stored), "rows": .integer(result.rows), "rejected": .integer(result.rejected),
            ]
            try await Output.standard.write(object.text + "\n")
        }
    }

    private struct RetryResult: Sendable {
        var stored = 0
        var rows = 0
        var rejected = 0
        /// Letters of topics that the mapping does not read.
        var others = 0
        var reasons: [String: Int] = [:]
    }

    private static func retry(
        _ selection: LetterBox.Selection, of count: Int, _ plan: IngestPlan, _ sources: [IngestPlan.Source],
        isTrial: Bool, _ stop: StopSignal, _ box: LetterBox, _ connection: PostgresConnection
    ) async throws -> RetryResult {
        var plan = plan
        var result = RetryResult()
        var last = Int64.min
        while !stop.isRequested {
            let ids = try await box.ids(selection, behind: last, limit: 500, connection)
            if ids.isEmpty { break }
            for id in ids where !stop.isRequested {
                last = id
                let outcome: LetterBox.Outcome
                do {
                    outcome = try await box.retry(id, plan, isTrial: isTrial, connection)
                } catch is LetterBox.TablesChanged {
                    plan = try await bind(sources, selection.group, connection)
                    outcome = try await box.retry(id, plan, isTrial: isTrial, connection)
                }
                switch outcome {
                case .stored(let rows):
                    result.stored += 1
                    result.rows += rows
                case .rejected(let reason):
                    result.rejected += 1
                    result.reasons[LetterBox.kind(of: reason), default: 0] += 1
                case .resolvedBefore: break
                case .ofOtherTopic: result.others += 1
                }
                StatusLine.shared.update {
                    "\(Numbers.grouped(result.stored + result.rejected)) of \(Numbers.grouped(count)) letters"
                }
            }
        }
        return result
    }

    private static func bind(
        _ sources: [IngestPlan.Source], _ group: String?, _ connection: PostgresConnection
    ) async throws -> IngestPlan {
        do {
            return try await IngestPlan.bind(sources, group: group, connection)
        } catch let error as BindingError {
            throw Failure(error.description, status: .configuration)
        }
    }
}

extension StoredLetter {
    fileprivate var place: String { "\(topic)-\(partition)@\(offset)" }

    /// UTF-8 as text, other bytes as base64.
    private static func json(_ bytes: [UInt8]?) -> JSONValue {
        guard let bytes else { return nil }
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return ["base64": .string(Data(bytes).base64EncodedString())]
    }

    fileprivate var json: JSONValue {
        [
            "id": .integer(Int(id)), "topic": .string(topic), "partition": .integer(Int(partition)),
            "offset": .integer(Int(offset)), "timestamp": timestamp.map { .integer(Int($0)) } ?? nil,
            "key": Self.json(key), "value": Self.json(value), "headers": headers.map { .string($0) } ?? nil,
            "reason": .string(reason), "received_at": .string(receivedAt), "retries": .integer(retries),
            "resolution": resolution.map { .string($0) } ?? nil,
        ]
    }

    fileprivate var text: String {
        func shown(_ bytes: [UInt8]?) -> String {
            guard let bytes else { return "none" }
            return String(validating: bytes, as: UTF8.self) ?? "base64 \(Data(bytes).base64EncodedString())"
        }
        let lines = [
            ("letter", "\(id)"), ("message", place), ("timestamp", timestamp.map { "\($0) ms since 1970" } ?? "none"),
            ("received", receivedAt), ("reason", reason), ("retries", "\(retries)"),
            ("resolution", resolution ?? "open"), ("headers", headers ?? "none"), ("key", shown(key)),
            ("value", shown(value)),
        ]
        return lines.map { name, value in
            name + String(repeating: " ", count: 12 - name.count) + value + "\n"
        }.joined()
    }
}
