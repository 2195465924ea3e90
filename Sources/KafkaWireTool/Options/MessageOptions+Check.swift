import CommandLineSupport

/// Rejects contradictory command lines before the program connects.
extension MessageOptions {
    /// The options that only some modes have. An option without effect is an error, because the user expects one.
    private static let modes: [(option: String, modes: [String])] = [
        ("-e", ["-C", "-G"]), ("-o", ["-C", "-G"]), ("-f", ["-C", "-G"]), ("-u", ["-C", "-G"]),
        ("-s", ["-C", "-G"]), ("-O", ["-C", "-G"]), ("-J", ["-L", "-P", "-C", "-G"]), ("-c", ["-P", "-C", "-G"]),
        ("-D", ["-P", "-C", "-G"]), ("-K", ["-P", "-C", "-G"]), ("-Z", ["-P", "-C", "-G"]), ("-p", ["-P", "-C"]),
        ("-k", ["-P"]), ("-H", ["-P"]), ("-z", ["-P"]), ("-l", ["-P"]), ("-T", ["-P"]),
    ]
    /// The options that lines of JSON replace.
    private static let replacedByJSON = ["-k", "-K", "-H", "-Z"]

    /// - Throws: A failure of status `usage`.
    func check() throws(Failure) {
        if isJSON, format != nil { throw Failure("-f and -J exclude each other: give one of them", status: .usage) }
        if delimiter.isEmpty { throw Failure("-D expects at least one character", status: .usage) }
        switch mode {
        case .produce: try checkProduce()
        case .consume: try checkConsume()
        case .group(let group): try checkGroup(group)
        case .query: try checkQuery()
        case .list, nil:
            for topic in topics { try TopicArguments.check(topic) }
            try refuseOperands("give topics with -t")
        }
        try checkOptionsOfOtherModes()
    }

    private func checkProduce() throws(Failure) {
        guard isJSON else {
            try checkTopic()
            guard !readsLines || operands.count <= 1 else {
                throw Failure("-l expects one file; without it each file is sent whole", status: .usage)
            }
            return
        }
        guard topics.count <= 1 else {
            throw Failure("-P -J sends to one topic: give -t once, or not at all", status: .usage)
        }
        for topic in topics { try TopicArguments.check(topic) }
        for option in Self.replacedByJSON where given.contains(option) {
            throw Failure(
                "\(option) has no effect with -P -J: each line has its key, headers and nulls", status: .usage)
        }
    }

    private func checkConsume() throws(Failure) {
        try checkTopic()
        try refuseOperands("give the topic with -t")
        _ = try printer()
    }

    private func checkTopic() throws(Failure) {
        guard topics.count == 1 else { throw Failure("exactly one topic is expected: -t TOPIC", status: .usage) }
        try TopicArguments.check(topics[0])
    }

    private func checkGroup(_ group: String) throws(Failure) {
        guard !group.isEmpty else { throw Failure("-G expects a group's name: -G GROUP TOPIC…", status: .usage) }
        try TopicArguments.check(group: group)
        guard !operands.isEmpty || !topics.isEmpty else {
            throw Failure("-G expects the topics after the group's name: -G GROUP TOPIC…", status: .usage)
        }
        _ = try TopicArguments.subscription(operands + topics)
        guard [nil, .beginning, .end, .stored].contains(begin), endTimestamp == nil else {
            throw Failure("-G begins at the group's offsets: -o can only be beginning, end or stored", status: .usage)
        }
        guard partition == nil else {
            throw Failure("-p can't be used with -G, which reads the partitions that the group assigns", status: .usage)
        }
        _ = try printer()
    }

    private func checkQuery() throws(Failure) {
        guard !topics.isEmpty else {
            throw Failure("-Q expects a partition and a time: -t TOPIC:PARTITION:MS", status: .usage)
        }
        for text in topics { try TopicArguments.check(try QueryMode.parse(text).0.topic) }
        try refuseOperands("give partition and time with -t TOPIC:PARTITION:MS")
    }

    private func refuseOperands(_ hint: String) throws(Failure) {
        if let position = operandPositions.first {
            throw Failure("\(ShownArgument.unexpected(position)); \(hint)", status: .usage)
        }
    }

    private func checkOptionsOfOtherModes() throws(Failure) {
        guard let current = modeOption else { return }
        for (option, modes) in Self.modes where given.contains(option) && !modes.contains(current) {
            throw Failure(
                "\(option) has no effect with \(current): it belongs to \(modes.joined(separator: ", "))",
                status: .usage)
        }
    }

    private var modeOption: String? {
        switch mode {
        case .list: "-L"
        case .produce: "-P"
        case .consume: "-C"
        case .query: "-Q"
        case .group: "-G"
        case nil: nil
        }
    }
}
