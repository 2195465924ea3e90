/// The text of `--help`.
enum HelpText {
    static let messages = """
        Usage: kafkawire -L [-t TOPIC]                lists brokers, topics and partitions
               kafkawire -P -t TOPIC [FILE…]          sends each line of input, or each file, as a message
               kafkawire -P -J [-t TOPIC] [FILE…]     sends the messages of a dump, such as -C -J prints
               kafkawire -C -t TOPIC                  prints a topic's messages
               kafkawire -G GROUP TOPIC…              prints them as a member of a consumer group
               kafkawire -Q -t TOPIC:PARTITION:MS     finds offsets by time
               kafkawire topics|configs|groups|records|cluster COMMAND …   administration ('kafkawire topics --help')

        Without a mode: -C if input is a terminal, else -P. Options may be bundled (-CJe), values attached (-tTFI).
        Options, escapes, -f, -s and -J follow kcat.

        Connection:
          -b HOST[:PORT],…   brokers to ask for the rest of the cluster (port: 9092)
          -X NAME=VALUE      a setting, named as in Kafka or librdkafka, such as security.protocol=SSL; may be repeated
          -X list|dump       prints the names of all settings, or the settings in force without secrets
          -F FILE            reads settings from a file in the format of Kafka's own tools or of kcat; -X overrides it.
                             -F none reads no file. Without -F: the file named by KCAT_CONFIG, else ~/.config/kcat.conf
          -m SECONDS         the time limit for answers, like default.api.timeout.ms
          -d CONTEXT[,…]     prints what the client does: broker, fetch, metadata, msg, protocol, cgrp, eos, security and
                             others, or all
        To send and to read:
          -t TOPIC           the topic
          -p N               only this partition (not with -G); by default -P chooses by the key, or spreads messages
                             without one
          -D TEXT            the end of each message (default: \\n)
          -K TEXT            the separator between key and value
          -c N               exits after N messages
          -E                 continues after an error of one message, file or delivery (-P), after a message that does
                             not fit -s (-C, -G), and while no broker answers
          -q                 prints only warnings and errors on standard error
          -v                 names the settings files that are read
        To send (-P):
          -k KEY             the key of every message
          -H NAME=VALUE      a header of every message; may be repeated
          -z CODEC           none, gzip, snappy, lz4 or zstd
          -Z                 sends an empty value or key as null
          -l                 sends each line of the one FILE as a message, instead of the file
          -T                 copies what is sent to standard output
          -J                 reads messages as -J prints them, one per line, and sends them to their own topic and
                             partition unless -t or -p is given (-p -1: by key). Several FILEs are read in order
          -X transactional.id=ID   sends the whole input in one transaction
        To read (-C, -G):
          -o PLACE           beginning (default of -C), end, an offset, -N for the last N; s@MS and e@MS begin and end at
                             a time in milliseconds since 1970, and may be combined; stored continues at the offsets of
                             -X group.id=GROUP, and commits the new ones. With -G only beginning and end, used if the
                             group has no offset
          -e                 exits at the end of all partitions; with -G also if this member has no partition for 10 s
          -f FORMAT          %t topic, %p partition, %o offset, %k key, %s value, %K and %S their lengths (-1 for null),
                             %R the value's length in four bytes, %h headers, %T timestamp, %% a percent sign;
                             \\n \\r \\t \\0 \\\\ \\xHH  (default: %s\\n)
          -s PACKING         shows keys (key=PACKING), values (value=PACKING) or both as numbers: b B h H i I q Q for
                             8, 16, 32 and 64 bits, signed and unsigned, c a character, s the rest, $ the end; < before
                             them for little-endian, > for big-endian (the default)
          -J                 prints each message as a line of JSON; bytes that are not UTF-8 are {"base64":"…"}
          -Z                 prints null as NULL
          -u                 writes each message immediately
        In a group (-G):
          TOPIC              a name; or, if it begins with ^, a regular expression that may match any part of a name:
                             '^orders' reads all topics whose names begin with orders
          -X group.protocol=consumer   uses the new group protocol (KIP-848)
        Other:
          -h, --help   -V, --version

        Settings of librdkafka that have no counterpart are ignored with a note. Messages of aborted transactions are not
        printed, unless isolation.level=read_uncommitted.

        Limits: exits if no broker answers within 10 s, or within default.api.timeout.ms if that is set. For -L, -Q and
        administration the limit also applies to each call. -P, -C and -G report later failures and retry.
        The first SIGINT or SIGTERM ends -P, -C and -G within 10 s; the second ends them at once.

        Exit status:
          0   success; also for -P, -C and -G after SIGINT or SIGTERM, and if the reader of the output has gone
          64  a wrong option or value
          65  a line of -P -J is not a message, a message does not fit -s, or an input message is longer than 256 MiB
          66  an input file is missing or can't be read
          69  a broker can't be reached or rejects a request
          70  an internal error
          74  reading input or writing output failed, or a transaction was interrupted
          78  a topic, partition or group is missing or does not fit the request

        """
}
