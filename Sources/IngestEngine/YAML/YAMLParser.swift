import CYAML

/// Parses one YAML document with libyaml.
///
/// Mapping files need no anchors, aliases or tags, so these are refused: aliases could repeat a large part of the
/// document many times.
@safe struct YAMLParser: ~Copyable {
    /// The largest document in bytes, far more than a mapping of thousands of columns needs.
    static let maximumBytes = 4 << 20
    /// The deepest nesting, limited so that recursion can't exhaust the stack.
    static let maximumDepth = 32

    // Safe: the state is valid from `init` to `deinit`. It is allocated because libyaml keeps pointers into it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// Parses a document.
    ///
    /// - Throws: `YAMLError` for the first mistake.
    static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
        guard bytes.count <= maximumBytes else {
            throw YAMLError(
                "the file has \(bytes.count) bytes; the maximum is \(maximumBytes)", YAMLPosition(line: 1, column: 1))
        }
        // libyaml reads from the array until the document ends, so all parsing happens while its address is valid.
        let result = unsafe bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode, YAMLError> in
            do throws(YAMLError) {
                let parser = try unsafe YAMLParser(buffer)
                return .success(try parser.document())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(_ buffer: UnsafeBufferPointer<UInt8>) throws(YAMLError) {
        unsafe parser = .allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            throw YAMLError("out of memory", YAMLPosition(line: 1, column: 1))
        }
        unsafe yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    // MARK: Events

    /// The next event of libyaml, copied out of its memory.
    private enum Event {
        case streamStart, streamEnd, documentStart, documentEnd
        case scalar(String, isPlain: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    private func next() throws(YAMLError) -> (event: Event, position: YAMLPosition) {
        var raw = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&raw) }
        let position = unsafe YAMLPosition(raw.start_mark)
        switch unsafe raw.type {
        case YAML_STREAM_START_EVENT: return (.streamStart, position)
        case YAML_STREAM_END_EVENT: return (.streamEnd, position)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, position)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, position)
        case YAML_ALIAS_EVENT: throw YAMLError("aliases (*name) are not supported; write the value out", position)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe raw.data.scalar
            try unsafe refuseExtras(anchor: scalar.anchor, tag: scalar.tag, position)
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return (.scalar(text, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE), position)
        case YAML_SEQUENCE_START_EVENT:
            try unsafe refuseExtras(
                anchor: raw.data.sequence_start.anchor, tag: raw.data.sequence_start.tag, position)
            return (.sequenceStart, position)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, position)
        case YAML_MAPPING_START_EVENT:
            try unsafe refuseExtras(anchor: raw.data.mapping_start.anchor, tag: raw.data.mapping_start.tag, position)
            return (.mappingStart, position)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, position)
        default: throw YAMLError("the file ends too early", position)
        }
    }

    private func refuseExtras(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, _ position: YAMLPosition
    ) throws(YAMLError) {
        guard unsafe anchor == nil else {
            throw YAMLError("anchors (&name) are not supported; write the value out", position)
        }
        guard unsafe tag == nil else { throw YAMLError("tags (!name) are not supported; remove it", position) }
    }

    /// libyaml's description of a syntax error.
    private func failure() -> YAMLError {
        let mark = unsafe YAMLPosition(parser.pointee.problem_mark)
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "out of memory"
        let context = unsafe parser.pointee.context.map { unsafe " " + String(cString: $0) } ?? ""
        return YAMLError("this is not YAML: \(problem)\(context)", mark)
    }

    // MARK: Nodes

    private func document() throws(YAMLError) -> YAMLNode {
        _ = try next()  // the start of the stream
        let start = try next()
        guard case .documentStart = start.event else {
            throw YAMLError("the file is empty", start.position)
        }
        let (event, position) = try next()
        let node = try node(event, position, depth: 0)
        _ = try next()  // the end of the document
        let end = try next()
        guard case .streamEnd = end.event else {
            throw YAMLError("a second document starts here; put all routes into one", end.position)
        }
        return node
    }

    private func node(_ event: Event, _ position: YAMLPosition, depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth < Self.maximumDepth else {
            throw YAMLError("values are nested deeper than \(Self.maximumDepth) levels", position)
        }
        switch event {
        case .scalar(let text, let isPlain):
            return YAMLNode(content: .scalar(text, isPlain: isPlain), position: position)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                let (event, position) = try next()
                if case .sequenceEnd = event { break }
                items.append(try node(event, position, depth: depth + 1))
            }
            return YAMLNode(content: .sequence(items), position: position)
        case .mappingStart:
            return YAMLNode(content: .mapping(try entries(depth: depth)), position: position)
        default:
            throw YAMLError("a value is missing", position)
        }
    }

    private func entries(depth: Int) throws(YAMLError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        // Compares bytes: `String` treats an accented letter and its decomposed form as equal.
        var lines: [[UInt8]: Int] = [:]
        while true {
            let (event, position) = try next()
            if case .mappingEnd = event { return entries }
            guard case .scalar(let key, _) = event else {
                throw YAMLError("expected a name here, not a list or a group", position)
            }
            if let line = lines.updateValue(position.line, forKey: Array(key.utf8)) {
                throw YAMLError("\"\(key)\" is already on line \(line)", position)
            }
            let (value, valuePosition) = try next()
            entries.append(
                YAMLNode.Entry(
                    key: key, keyPosition: position, value: try node(value, valuePosition, depth: depth + 1)))
        }
    }
}

/// A mistake in a YAML file.
struct YAMLError: Error, Equatable {
    let message: String
    let position: YAMLPosition

    init(_ message: String, _ position: YAMLPosition) {
        self.message = message
        self.position = position
    }
}

extension YAMLPosition {
    /// libyaml counts from 0.
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) &+ 1, column: Int(clamping: mark.column) &+ 1)
    }
}
