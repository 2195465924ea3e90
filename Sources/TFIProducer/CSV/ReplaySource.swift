import CommandLineSupport
import Foundation

/// The messages of two files in order of time. For equal times passages come first, each in the order of its file.
struct ReplaySource: MessageSource {
    /// The two files of one day.
    struct Files: Equatable, Sendable {
        var units: String
        var concerns: String
    }

    /// Encodes the messages with their members in the order of the files' columns.
    let encoder: MessageEncoder
    private let messages: [PlantMessage]
    private var position = 0

    /// Reads both files; may block. An error in either is thrown before any message is sent.
    ///
    /// - Throws: The errors of `PlantFile`.
    init(_ files: Files) throws(Failure) {
        let passages = try PlantFile(path: files.units, kind: .passage)
        let concerns = try PlantFile(path: files.concerns, kind: .concern)
        self.init(passages: passages, concerns: concerns)
    }

    init(passages: PlantFile, concerns: PlantFile) {
        encoder = MessageEncoder(passageColumns: passages.columns, concernColumns: concerns.columns)
        let messages = passages.messages + concerns.messages
        // The plant's files are only nearly sorted. For equal times, the index in `messages` decides.
        let order = messages.indices.sorted {
            (messages[$0].timestamp.microseconds, $0) < (messages[$1].timestamp.microseconds, $1)
        }
        self.messages = order.map { messages[$0] }
    }

    var count: Int? { messages.count }

    mutating func next() -> PlantMessage? {
        guard position < messages.count else { return nil }
        defer { position += 1 }
        return messages[position]
    }
}

extension ReplaySource.Files {
    /// The synthetic day that comes with the program: `Fixtures/day` in the current folder, or in one above the
    /// program.
    ///
    /// - Throws: A failure of status `noInput`.
    static func delivered(currentFolder: String, executable: String?) throws(Failure) -> ReplaySource.Files {
        var folders = [currentFolder]
        var folder = URL(filePath: executable ?? currentFolder).standardizedFileURL
        while folder.path != "/" {
            folder = folder.deletingLastPathComponent()
            folders.append(folder.path)
        }
        for folder in folders {
            let day = URL(filePath: folder).appending(path: "Fixtures/day")
            let files = ReplaySource.Files(
                units: day.appending(path: "unit_collection_point.csv").path,
                concerns: day.appending(path: "unit_concern.csv").path)
            if FileManager.default.fileExists(atPath: files.units) { return files }
        }
        throw Failure(
            "there is no Fixtures/day in this folder or above the program; give the files with --units and --concerns",
            status: .noInput)
    }
}
