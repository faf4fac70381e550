using System.Runtime.InteropServices;

namespace KvPareto.Cli.Terminal;

/// <summary>The process's standard input, output and error as the one that started it left them: full, closed, a terminal or not.</summary>
internal static partial class StandardStreams
{
    private const int InputDescriptor = 0;
    private const int OutputDescriptor = 1;
    private const int ErrorDescriptor = 2;

    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC
    private const nuint GetWindowSize = 0x5413; // TIOCGWINSZ of Linux

    /// <summary>Standard input; null where it was closed.</summary>
    public static Stream? Input() => IsClosed(InputDescriptor) ? null : Console.OpenStandardInput();

    /// <summary>Standard output; what is written to a closed one is lost.</summary>
    public static Stream Output() => IsClosed(OutputDescriptor) ? Stream.Null : Console.OpenStandardOutput();

    /// <summary>Standard error; what cannot be written there is lost, since there is no place left to say so.</summary>
    public static Stream Error() => IsClosed(ErrorDescriptor) ? Stream.Null : new LossyStream(Console.OpenStandardError());

    /// <summary>Columns of the terminal that standard output goes to; null where it is none.</summary>
    public static int? OutputWidth() => Console.IsOutputRedirected ? null : Width(OutputDescriptor);

    /// <summary>Columns of the terminal that standard error goes to; null where it is none.</summary>
    public static int? ErrorWidth() => Console.IsErrorRedirected ? null : Width(ErrorDescriptor);

    // Console.WindowWidth asks standard output's terminal alone, and says 80 where that is a file, and 0 where a program that made the
    // terminal gave it no size, as containers and automatic logins do.
    private static int Width(int descriptor)
    {
        if (OperatingSystem.IsLinux() && Control(descriptor, GetWindowSize, out var size) == 0 && size.Columns > 0) return size.Columns;
        try
        {
            return Console.WindowWidth is > 0 and var columns ? columns : WrappedText.UsualWidth;
        }
        catch (IOException)
        {
            return WrappedText.UsualWidth;
        }
    }

    // A descriptor that was closed is soon one of the runtime's own, and those, unlike inherited ones, end with exec. Reading would wait
    // for ever, and writing would reach whatever it is now.
    private static bool IsClosed(int descriptor) =>
        !OperatingSystem.IsWindows() && (DescriptorControl(descriptor, GetDescriptorFlags) is var flags)
            && (flags < 0 || (flags & CloseOnExec) != 0);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int DescriptorControl(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, out WindowSize size);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct WindowSize
    {
        public readonly ushort Rows;
        public readonly ushort Columns;
        private readonly ushort _width;
        private readonly ushort _height;
    }

    /// <summary>Goes on where a write fails.</summary>
    private sealed class LossyStream(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                inner.Write(buffer);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
            }
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
