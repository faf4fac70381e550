using System.Reflection;
using System.Reflection.Emit;

namespace KvPareto.Testing;

/// <summary>Which folders of an assembly refer to which, by the first part of a namespace behind the assembly's own: base types, members' signatures, and all that the code of their methods
/// names.</summary>
public sealed class NamespaceReferences
{
    private const BindingFlags All =
        BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly Assembly _assembly;
    private readonly string _root;
    private readonly SortedDictionary<(string From, string To), SortedSet<string>> _references = [];

    private NamespaceReferences(Assembly assembly, string root) => (_assembly, _root) = (assembly, root);

    /// <summary>Counts them.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="root">Its own namespace.</param>
    public static NamespaceReferences Of(Assembly assembly, string root)
    {
        var found = new NamespaceReferences(assembly, root);
        foreach (var type in assembly.GetTypes()) found.Add(type);
        return found;
    }

    /// <summary>Pairs of folders that refer to each other, with the types that do; also over others in between.</summary>
    public IReadOnlyList<string> Cycles()
    {
        var reach = _references.Keys.ToHashSet();
        string[] folders = [.. reach.SelectMany(pair => new[] { pair.From, pair.To }).Distinct()];
        foreach (var via in folders)
            foreach (var from in folders)
                foreach (var to in folders)
                    if (reach.Contains((from, via)) && reach.Contains((via, to))) reach.Add((from, to));
        return [.. _references.Where(pair => reach.Contains((pair.Key.To, pair.Key.From)))
            .Select(pair => $"{pair.Key.From} -> {pair.Key.To}: {string.Join(", ", pair.Value)}")];
    }

    /// <summary>Number of pairs of folders of which one refers to the other.</summary>
    public int Count => _references.Count;

    private void Add(Type type)
    {
        Refer(type, type.BaseType);
        foreach (var face in type.GetInterfaces()) Refer(type, face);
        foreach (var field in type.GetFields(All)) Refer(type, field.FieldType);
        foreach (var method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)))
        {
            foreach (var parameter in method.GetParameters()) Refer(type, parameter.ParameterType);
            if (method is MethodInfo { ReturnType: var result }) Refer(type, result);
            if (method.GetMethodBody() is not { } body) continue;
            foreach (var local in body.LocalVariables) Refer(type, local.LocalType);
            foreach (var member in Members(method, body)) Refer(type, member as Type ?? member.DeclaringType);
        }
    }

    private void Refer(Type from, Type? to)
    {
        if (to is null) return;
        if (to.HasElementType) Refer(from, to.GetElementType());
        foreach (var argument in to.IsGenericType ? to.GetGenericArguments() : []) Refer(from, argument);
        if (to.Assembly != _assembly || to.IsGenericParameter) return;
        if (FolderOf(from) is not { } user || FolderOf(to) is not { } used || user == used) return;
        if (!_references.TryGetValue((user, used), out var types)) _references[(user, used)] = types = [];
        types.Add($"{Outer(from).Name} ({Outer(to).Name})");
    }

    // KvPareto.Engine.Checkpoints.Gguf belongs to Checkpoints; what compilers make of their own, to none.
    private string? FolderOf(Type type) => type.Namespace is not { } name || !name.StartsWith(_root, StringComparison.Ordinal) ? null
        : name.Length > _root.Length ? name[(_root.Length + 1)..].Split('.')[0] : "";

    private static Type Outer(Type type) => type.DeclaringType is { } outer ? Outer(outer) : type;

    private static IEnumerable<MemberInfo> Members(MethodBase method, MethodBody body)
    {
        var code = body.GetILAsByteArray()!;
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var value = code[at++] is var first && first == 0xFE ? unchecked((short)(0xFE00 | code[at++])) : first;
            var operand = Codes[value].OperandType;
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType
                && method.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod) is { } member)
                yield return member;
            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }
}
