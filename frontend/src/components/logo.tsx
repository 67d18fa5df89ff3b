export function Logo() {
  return (
    <span className="flex items-center gap-2.5 font-semibold text-lg tracking-tight">
      {/* biome-ignore lint/performance/noImgElement: a drawing of 300 bytes has nothing to optimise */}
      <img src="/icon.svg" alt="" width={28} height={28} />
      Tasks
    </span>
  );
}
