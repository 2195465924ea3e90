/// Finds the values of a plan's paths in a message, in one pass over its bytes.
///
/// Messages of one kind mostly have their fields in the same order. The scanner remembers which field followed which,
/// and compares the remembered name in place before it searches. Nothing is allocated per message.
@safe struct MessageScanner: ~Copyable {
    /// A top-level field that no path begins with, from the opening quote of its name to the end of its value.
    struct UnusedField {
        let offset: Int
        let length: Int
        let nameLength: Int
    }

    let tree: PathTree
    /// Whether a message has to be an object, because a path begins with a field.
    private let needsObject: Bool
    let slots: UnsafeMutablePointer<JSONSlot>
    /// For each entry the one that followed it last; behind them, for each node the entry that came first.
    private let successors: UnsafeMutablePointer<Int32>
    /// The message in which an entry with a child was seen last.
    private let seen: UnsafeMutablePointer<UInt32>
    let nesting = NestingBits()
    private(set) var generation: UInt32 = 0
    private(set) var unused: [UnusedField] = []
    private let collectsUnused: Bool
    private(set) var isUnusual = false
    private(set) var problem = JSONProblem.none
    /// Where the problem is.
    private(set) var position = 0

    /// - Parameter collectsUnused: Whether `unused` is filled.
    init(_ paths: [JSONPath], collectsUnused: Bool) {
        tree = PathTree(paths)
        self.collectsUnused = collectsUnused
        needsObject =
            collectsUnused
            || paths.contains {
                if case .field? = $0.steps.first { true } else { false }
            }
        unsafe slots = .allocate(capacity: max(tree.slotCount, 1))
        unsafe slots.initialize(repeating: JSONSlot(), count: max(tree.slotCount, 1))
        let entries = tree.entryCount
        unsafe successors = .allocate(capacity: entries + 1)
        for index in 0...entries {
            unsafe (successors + index).initialize(to: Int32(index + 1 < entries ? index + 1 : 0))
        }
        unsafe seen = .allocate(capacity: entries + 1)
        unsafe seen.initialize(repeating: 0, count: entries + 1)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe successors.deallocate()
        unsafe seen.deallocate()
        nesting.deallocate()
    }

    /// The value of a path in the message scanned last; nil if the message lacks it.
    @inline(__always)
    func slot(_ index: Int) -> JSONSlot? {
        unsafe slots[index].generation == generation ? slots[index] : nil
    }

    /// - Returns: Whether the message is valid; `problem` and `position` tell why not.
    mutating func scan(_ text: ByteView) -> Bool {
        startMessage()
        var scanner = JSONScanner(text, nesting: nesting)
        let isValid = root(&scanner)
        isUnusual = scanner.isUnusual
        if !isValid {
            problem = scanner.problem
            position = scanner.position
        }
        return isValid
    }

    @inline(__always)
    private mutating func startMessage() {
        generation &+= 1
        if generation == 0 {
            // After 2^32 messages the numbers begin again.
            for index in 0..<tree.slotCount { unsafe slots[index].generation = 0 }
            for index in 0..<tree.entryCount { unsafe seen[index] = 0 }
            generation = 1
        }
        if !unused.isEmpty { unused.removeAll(keepingCapacity: true) }
    }

    @inline(__always)
    private mutating func root(_ scanner: inout JSONScanner) -> Bool {
        let first = scanner.peek()
        let start = scanner.position
        if needsObject, first != UInt8(ascii: "{") {
            // Invalid JSON is the better reason.
            var slot = JSONSlot()
            guard scanner.value(into: &slot, depth: 0) else { return false }
            return scanner.fail(.notAnObject, at: start)
        }
        var slot = JSONSlot()
        guard value(&scanner, first, child: 0, depth: 0, isRoot: true, &slot) else { return false }
        if tree.rootSlot >= 0 {
            slot.generation = generation
            unsafe slots[tree.rootSlot] = slot
        }
        _ = scanner.peek()
        guard scanner.position == scanner.text.count else { return scanner.fail(.trailing, at: scanner.position) }
        guard !scanner.hasNonASCII || scanner.text.isUTF8 else { return scanner.fail(.encoding, at: 0) }
        return true
    }

    /// Takes a value that paths may lead into.
    @inline(__always)
    private mutating func value(
        _ scanner: inout JSONScanner, _ first: UInt8, child: Int, depth: Int, isRoot: Bool, _ slot: inout JSONSlot
    ) -> Bool {
        let start = scanner.position
        if first == UInt8(ascii: "{"), isRoot || hasFields(child) {
            guard object(&scanner, child, depth: depth &+ 1, isRoot: isRoot) else { return false }
            slot.kind = .object
        } else if first == UInt8(ascii: "["), hasElements(child) {
            guard array(&scanner, child, depth: depth &+ 1) else { return false }
            slot.kind = .array
        } else {
            return scanner.value(into: &slot, depth: depth)
        }
        slot.offset = UInt32(truncatingIfNeeded: start)
        slot.length = UInt32(truncatingIfNeeded: scanner.position &- start)
        return true
    }

    private mutating func object(_ scanner: inout JSONScanner, _ node: Int, depth: Int, isRoot: Bool) -> Bool {
        scanner.position &+= 1
        if scanner.peek() == UInt8(ascii: "}") {
            scanner.position &+= 1
            return true
        }
        let hasFields = unsafe tree.nodes[node].fieldCount > 0
        var expected = Int(unsafe tree.nodes[node].firstField)
        // The place that remembers what comes next; none before the first field.
        var previous = -1
        while true {
            guard scanner.peek() == UInt8(ascii: "\"") else { return scanner.fail(.key, at: scanner.position) }
            let name = scanner.position &+ 1
            var entry: Int
            if hasFields, tree.matches(expected, scanner.text, at: name) {
                entry = expected
                scanner.position = name &+ nameLength(entry) &+ 1
            } else {
                scanner.position = name
                var hasEscapes = false
                guard scanner.string(&hasEscapes) else { return false }
                let text = scanner.text.slice(name, scanner.position &- 1 &- name)
                entry = hasEscapes ? escapedField(text, of: node) : tree.field(text, of: node)
                if entry >= 0, previous >= 0 { unsafe successors[previous] = Int32(truncatingIfNeeded: entry) }
            }
            let nameEnd = scanner.position
            guard scanner.peek() == UInt8(ascii: ":") else { return scanner.fail(.colon, at: scanner.position) }
            scanner.position &+= 1
            if entry >= 0 {
                guard take(&scanner, entry, depth: depth) else { return false }
                previous = entry
                expected = sibling(Int(unsafe successors[entry]), of: node)
            } else {
                var slot = JSONSlot()
                guard scanner.value(into: &slot, depth: depth) else { return false }
                if isRoot, collectsUnused {
                    unused.append(
                        UnusedField(
                            offset: name &- 1, length: scanner.position &- name &+ 1, nameLength: nameEnd &- name &+ 1))
                }
            }
            let next = scanner.peek()
            if next == UInt8(ascii: ",") {
                scanner.position &+= 1
                _ = scanner.peek()
                continue
            }
            guard next == UInt8(ascii: "}") else { return scanner.fail(.objectEnd, at: scanner.position) }
            scanner.position &+= 1
            return true
        }
    }

    /// A remembered entry if it is a field of this node, else the node's first one.
    @inline(__always)
    private func sibling(_ entry: Int, of node: Int) -> Int {
        let first = Int(unsafe tree.nodes[node].firstField)
        let end = first &+ Int(unsafe tree.nodes[node].fieldCount)
        return entry >= first && entry < end ? entry : first
    }

    @inline(__always)
    private func hasElements(_ node: Int) -> Bool { unsafe tree.nodes[node].elementCount > 0 }

    @inline(__always)
    private func nameLength(_ entry: Int) -> Int { unsafe tree.entries[entry].nameLength }

    @inline(__always)
    private func hasFields(_ node: Int) -> Bool { unsafe tree.nodes[node].fieldCount > 0 }

    private mutating func array(_ scanner: inout JSONScanner, _ node: Int, depth: Int) -> Bool {
        scanner.position &+= 1
        if scanner.peek() == UInt8(ascii: "]") {
            scanner.position &+= 1
            return true
        }
        var index = 0
        var entry = Int(unsafe tree.nodes[node].firstElement)
        let end = entry &+ Int(unsafe tree.nodes[node].elementCount)
        while true {
            if entry < end, unsafe tree.entries[entry].element == index {
                guard take(&scanner, entry, depth: depth) else { return false }
                entry &+= 1
            } else {
                var slot = JSONSlot()
                guard scanner.value(into: &slot, depth: depth) else { return false }
            }
            index &+= 1
            let next = scanner.peek()
            guard next == UInt8(ascii: ",") else {
                guard next == UInt8(ascii: "]") else { return scanner.fail(.arrayEnd, at: scanner.position) }
                scanner.position &+= 1
                return true
            }
            scanner.position &+= 1
        }
    }

    /// Takes the value of an entry.
    @inline(__always)
    private mutating func take(_ scanner: inout JSONScanner, _ entry: Int, depth: Int) -> Bool {
        let slot = Int(unsafe tree.entries[entry].slot)
        let child = Int(unsafe tree.entries[entry].child)
        if child < 0 {
            guard unsafe scanner.value(into: &slots[slot], depth: depth) else { return false }
            unsafe slots[slot].generation = generation
            return true
        }
        return takeBranch(&scanner, entry, slot: slot, child: child, depth: depth)
    }

    @inline(never)
    private mutating func takeBranch(
        _ scanner: inout JSONScanner, _ entry: Int, slot: Int, child: Int, depth: Int
    ) -> Bool {
        if unsafe seen[entry] == generation {
            // The last duplicate wins: forget what the earlier one had.
            let first = Int(unsafe tree.entries[entry].firstSlot)
            for index in first..<(first &+ Int(unsafe tree.entries[entry].slotCount)) {
                unsafe slots[index].generation = 0
            }
        }
        unsafe seen[entry] = generation
        var found = JSONSlot()
        let first = scanner.peek()
        guard value(&scanner, first, child: child, depth: depth, isRoot: false, &found) else { return false }
        if slot >= 0 {
            found.generation = generation
            unsafe slots[slot] = found
        }
        return true
    }

    /// The entry of a name with escapes.
    @inline(never)
    private func escapedField(_ text: ByteView, of node: Int) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: text.count + 16, alignment: 8) { buffer in
            guard let target = buffer.baseAddress else { return -1 }
            let count = unsafe JSONText.unescape(text, to: target)
            return tree.field(unsafe ByteView(UnsafeRawPointer(target), count), of: node)
        }
    }
}
