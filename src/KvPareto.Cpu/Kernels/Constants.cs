namespace KvPareto.Cpu.Kernels;

/// <summary>An integer as a type argument, so that a loop over it unrolls into registers.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

internal readonly struct Constant0 : IConstant
{
    public static int Value => 0;
}

internal readonly struct Constant1 : IConstant
{
    public static int Value => 1;
}

internal readonly struct Constant2 : IConstant
{
    public static int Value => 2;
}

internal readonly struct Constant3 : IConstant
{
    public static int Value => 3;
}

internal readonly struct Constant4 : IConstant
{
    public static int Value => 4;
}

internal readonly struct Constant5 : IConstant
{
    public static int Value => 5;
}

internal readonly struct Constant6 : IConstant
{
    public static int Value => 6;
}

internal readonly struct Constant7 : IConstant
{
    public static int Value => 7;
}

internal readonly struct Constant8 : IConstant
{
    public static int Value => 8;
}

internal readonly struct Constant16 : IConstant
{
    public static int Value => 16;
}

internal readonly struct Constant32 : IConstant
{
    public static int Value => 32;
}
