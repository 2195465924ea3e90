import CPQ

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension LibpqConnection {
    /// The time in seconds that an attempt may take where the parameters don't set `connect_timeout`.
    static let defaultConnectTimeout = 10

    /// Makes a connection, and blocks until that is done or failed.
    ///
    /// libpq's own blocking call would do as well but for two things: it can't be cancelled, and it tells the
    /// SQLSTATE of a refusal only where the verbosity is set before the server answers.
    ///
    /// - Parameters:
    ///   - notices: Gets the server's notices, from the first one on; has to live as long as the connection.
    ///   - isCancelled: Asked several times a second.
    @unsafe static func open(
        _ parameters: ConnectionParameters, notices: NoticeReceiver, isCancelled: () -> Bool
    ) throws(PostgresError) -> OpaquePointer {
        guard let connection = unsafe start(parameters) else {
            throw PostgresError(.connect, "there is no memory for a connection")
        }
        // Before any byte of the server is read: libpq's own receiver prints notices on standard error as they are.
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

    /// Drives the attempt as the manual's "PQconnectPoll" says.
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
            if isCancelled() { throw PostgresError(.cancelled, "the connection wasn't awaited") }
            if let limit, clock.now - begin >= limit {
                throw PostgresError(.connect, "no answer within \(limit.components.seconds) seconds")
            }
            let events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
            var socket = pollfd(fd: unsafe PQsocket(connection), events: Int16(events), revents: 0)
            if unsafe poll(&socket, 1, 50) > 0 { state = unsafe PQconnectPoll(connection) }
        }
        throw unsafe refusal(connection)
    }

    /// The whole attempt's time: `connect_timeout` for each of the hosts; nil where it is zero, for no limit.
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
    /// Takes libpq's verbose message apart: `… FATAL:  3D000: database "x" does not exist`, then `LOCATION: …`.
    static func connectRefusal(_ text: String) -> PostgresError {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("LOCATION:") }
        var sqlState: String?
        let shown = lines.map { line -> String in
            // Two blanks stand behind the severity only. The last host's state stays.
            guard let match = line.firstMatch(of: /:[ ]{2}([0-9A-Z]{5}):[ ]/) else { return String(line) }
            sqlState = String(match.1)
            return line[..<match.range.lowerBound] + ": " + line[match.range.upperBound...]
        }
        return PostgresError(.connect, oneLine(shown.joined(separator: "\n")), sqlState: sqlState)
    }
}
