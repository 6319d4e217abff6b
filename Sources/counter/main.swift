import Glibc

exit(Command.start(Array(CommandLine.arguments.dropFirst())))
