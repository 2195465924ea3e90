import CPQ

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension LibpqConnection {
    /// The time limit of an attempt in seconds if the parameters don't set `connect_timeout`.
    static let defaultConnectTimeout = 10

    /// Connects, blocking until that succeeds or fails.
    ///
    /// libpq's own blocking call has two disadvantages: it can't be cancelled, and it reports the SQLSTATE of a
    /// refusal only if the verbosity is set before the server answers.
    ///
    /// - Parameters:
    ///   - notices: Receives the server's notices, from the first one on; must live as long as the connection.
    ///   - isCancelled: Called several times a second.
    @unsafe static func open(
        _ parameters: ConnectionParameters, notices: NoticeReceiver, isCancelled: () -> Bool
    ) throws(PostgresError) -> OpaquePointer {
        guard let connection = unsafe start(parameters) else {
            throw PostgresError(.connect, "not enough memory for a connection")
        }
        // Set before reading from the server: libpq's default receiver prints notices unescaped to standard error.
        unsafe notices.receiveAll(of: connection)
        do throws(PostgresError) {
            unsafe PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
            try unsafe complete(connection, isCancelled)
            unsafe PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
        } catch {
            unsafe PQfinish(connection)
            throw error
        }
        return unsafe connection
    }

    @unsafe private static func start(_ parameters: ConnectionParameters) -> OpaquePointer? {
        // libpq copies the strings before it returns.
        let strings = unsafe parameters.pairs.map { unsafe (strdup($0.keyword), strdup($0.value)) }
        defer {
            for unsafe(keyword, value) in unsafe strings {
                unsafe free(keyword)
                unsafe free(value)
            }
        }
        var keywords: [UnsafePointer<CChar>?] = unsafe strings.map { unsafe UnsafePointer($0.0) }
        var values: [UnsafePointer<CChar>?] = unsafe strings.map { unsafe UnsafePointer($0.1) }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        return unsafe PQconnectStartParams(keywords, values, 1)
    }

    /// Drives the attempt as described in the manual under "PQconnectPoll".
    @unsafe private static func complete(
        _ connection: OpaquePointer, _ isCancelled: () -> Bool
    ) throws(PostgresError) {
        let clock = ContinuousClock()
        let begin = clock.now
        let limit = unsafe timeLimit(connection)
        var state = PGRES_POLLING_WRITING
        while unsafe PQstatus(connection) != CONNECTION_BAD {
            switch state {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED: throw unsafe refusal(connection)
            default: break
            }
            if isCancelled() { throw PostgresError(.cancelled, "the attempt to connect was cancelled") }
            if let limit, clock.now - begin >= limit {
                throw PostgresError(.connect, "no answer within \(limit.components.seconds) seconds")
            }
            let events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
            var socket = pollfd(fd: unsafe PQsocket(connection), events: Int16(events), revents: 0)
            if unsafe poll(&socket, 1, 50) > 0 { state = unsafe PQconnectPoll(connection) }
        }
        throw unsafe refusal(connection)
    }

    /// The time limit of the whole attempt: `connect_timeout` times the number of hosts; nil if it is zero, for no
    /// limit.
    @unsafe private static func timeLimit(_ connection: OpaquePointer) -> Duration? {
        var settings: [String: String] = [:]
        if let list = unsafe PQconninfo(connection) {
            settings = unsafe ConnectionParameters.settings(list)
            unsafe PQconninfoFree(list)
        }
        let seconds = settings["connect_timeout"].flatMap { Int32($0) }.map(Int.init) ?? defaultConnectTimeout
        let hosts = (settings["hostaddr"] ?? settings["host"] ?? "").split(separator: ",").count
        return seconds > 0 ? .seconds(seconds * max(hosts, 1)) : nil
    }

    @unsafe private static func refusal(_ connection: OpaquePointer) -> PostgresError {
        let text = unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? "unknown error"
        var error = PostgresError.connectRefusal(text)
        if unsafe PQconnectionNeedsPassword(connection) == 1 { error.isPermanent = true }
        return error
    }
}

extension PostgresError {
    /// Parses libpq's verbose message: `… FATAL:  3D000: database "x" does not exist`, then `LOCATION: …`.
    static func connectRefusal(_ text: String) -> PostgresError {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("LOCATION:") }
        var sqlState: String?
        let shown = lines.map { line -> String in
            // Only the severity is followed by two blanks. The last host's SQLSTATE wins.
            guard let match = line.firstMatch(of: /:[ ]{2}([0-9A-Z]{5}):[ ]/) else { return String(line) }
            sqlState = String(match.1)
            return line[..<match.range.lowerBound] + ": " + line[match.range.upperBound...]
        }
        return PostgresError(.connect, oneLine(shown.joined(separator: "\n")), sqlState: sqlState)
    }
}
