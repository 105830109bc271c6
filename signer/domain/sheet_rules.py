"""The rules about spreadsheets: which files are none that we read, and what a cell cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.rule_text import Rule, Words
from signer.errors import RuleViolation

if TYPE_CHECKING:
    from signer.errors import Finding

__all__ = ["SHEET_RULES", "finding", "refused"]

_FILE, _CELL = "signer: a spreadsheet is read as text, never run", "signer: nothing in a cell is guessed"

SHEET_RULES: tuple[Rule, ...] = (
    Rule(
        "sheet.empty",
        "violation",
        "文件是空的。请选择填好的表格。",
        "The file is empty. Choose the sheet that you filled in.",
        _FILE,
    ),
    Rule(
        "sheet.too-large",
        "violation",
        "文件超过 {most} MB。请删除图片和无关工作表，或拆成几个文件。",
        "The file is larger than {most} MB. Remove pictures and other sheets, or split it.",
        _FILE,
    ),
    Rule(
        "sheet.bomb",
        "violation",
        "文件解压后过大，不予读取。请新建工作簿，只粘贴需要的数据，另存为 .xlsx。",
        "Unpacked, the file is too large to be read. Paste the data into a new workbook and save that as .xlsx.",
        _FILE,
    ),
    Rule(
        "sheet.encrypted",
        "violation",
        "文件设有打开密码。请在 Excel 中取消密码后重新保存。",
        "The file has a password. Remove it in Excel and save the file again.",
        _FILE,
    ),
    Rule(
        "sheet.macros",
        "violation",
        "文件含有宏。请另存为“Excel 工作簿 (.xlsx)”。",
        "The file has macros. Save it as “Excel Workbook (.xlsx)”.",
        _FILE,
    ),
    Rule(
        "sheet.old",
        "violation",
        "这是 Excel 97-2003 格式（.xls）。请用 Excel 打开后另存为 .xlsx。",
        "This is the old Excel format (.xls). Open it in Excel and save it as .xlsx.",
        _FILE,
    ),
    Rule(
        "sheet.other",
        "violation",
        "这不是 .xlsx 或 CSV 表格（{found}）。请用 Excel 打开后另存为 .xlsx。",
        "This is neither an .xlsx nor a CSV file ({found}). Open it in Excel and save it as .xlsx.",
        _FILE,
    ),
    Rule(
        "sheet.entities",
        "violation",
        "文件内部含有不允许的声明（DOCTYPE），不予读取。请新建工作簿，粘贴数据后保存。",
        "Inside, the file has a declaration that is not allowed (DOCTYPE). Paste the data into a new workbook.",
        _FILE,
    ),
    Rule(
        "sheet.damaged",
        "violation",
        "文件无法读取，可能已损坏。请用 Excel 打开后另存为 .xlsx 再试。",
        "The file cannot be read; it may be damaged. Open it in Excel, save it as .xlsx and try again.",
        _FILE,
    ),
    Rule(
        "sheet.encoding",
        "violation",
        "文字编码无法识别。请另存为“CSV UTF-8”或 .xlsx。",
        "The encoding of the text is not known. Save it as “CSV UTF-8” or .xlsx.",
        _FILE,
    ),
    Rule(
        "sheet.nul",
        "violation",
        "文件含有空字符（NUL），不是可读取的 CSV。请另存为“CSV UTF-8”或 .xlsx。",
        "The file has NUL characters and is no CSV that can be read. Save it as “CSV UTF-8” or .xlsx.",
        _FILE,
    ),
    Rule(
        "sheet.quotes",
        "violation",
        "第 {row} 行的引号不成对，无法分列。请改正，或另存为 .xlsx。",
        "The quotation marks of row {row} do not close. Correct them, or save the file as .xlsx.",
        "RFC 4180",
    ),
    Rule(
        "sheet.rows",
        "violation",
        "数据超过 {most} 行（到第 {row} 行）。请删除多余的行，或拆成几个文件。",
        "There are more than {most} rows (down to row {row}). Delete those not needed, or split the file.",
        _FILE,
    ),
    Rule(
        "sheet.columns",
        "violation",
        "列数超过 {most} 列（到 {column} 列）。请删除多余的列。",
        "There are more than {most} columns (up to column {column}). Delete those not needed.",
        _FILE,
    ),
    Rule(
        "sheet.line",
        "violation",
        "第 {line} 行不是一个 JSON 对象（{reason}）。每行写一辆车的 JSON 对象；请改正，或改用 .xlsx、CSV。",
        "Line {line} is no JSON object ({reason}). Each line is one vehicle's object: correct it, or use XLSX or CSV.",
        "RFC 8259",
    ),
    Rule(
        "sheet.value",
        "violation",
        "第 {line} 行的“{field}”不是文本。编号和日期请写在引号内，是否项写 true 或 false，没有内容写 null 或省略。",
        "“{field}” of line {line} is not text. Write codes and days in quotation marks, yes and no as true and false, "
        "and leave out what is empty.",
        "RFC 8259",
    ),
    Rule(
        "sheet.fields",
        "violation",
        "字段种类超过 {most} 个（到第 {line} 行）。请删除多余的字段。",
        "There are more than {most} different fields (down to line {line}). Leave out those not needed.",
        _FILE,
    ),
    Rule(
        "sheet.no-header",
        "violation",
        "没有找到表头。首行应有“{wanted}”等列名，可下载模板填写。",
        "No header was found. The first row needs names such as “{wanted}”; the template has them.",
        _FILE,
    ),
    Rule(
        "sheet.no-rows",
        "violation",
        "表头下没有数据。请从表头的下一行开始填写。",
        "There is nothing below the header. Fill in the rows below it.",
        _FILE,
    ),
    Rule(
        "sheet.column-missing",
        "violation",
        "缺少“{column}”列。请加上这一列。",
        "The column “{column}” is missing. Add it.",
        _FILE,
    ),
    Rule(
        "sheet.column-twice",
        "violation",
        "“{column}”出现了两次（{first} 列和 {second} 列）。请只保留一列。",
        "The column “{column}” is there twice ({first} and {second}). Keep one.",
        _FILE,
    ),
    Rule(
        "sheet.column-unknown",
        "warning",
        "{letter} 列“{header}”不是已知的列名，该列不会导入。若需导入，请改用模板中的列名。",
        "Column {letter}, “{header}”, is not known and will not be imported. If it should be, use the template's name.",
        _CELL,
    ),
    Rule(
        "cell.number",
        "warning",
        "Excel 把“{typed}”存成了数字，开头的 0 可能已丢失。请核对，并将该列设为“文本”。",
        "Excel stored “{typed}” as a number: zeros in front may be lost. Check it, and format the column as text.",
        _CELL,
    ),
    Rule(
        "cell.number-lost",
        "violation",
        "Excel 把编号变成了数字“{typed}”，原来的内容已无法确定。请将该列设为“文本”后重新填写。",
        "Excel made the number “{typed}” of this code; what was typed is lost. Format the column as text; retype it.",
        _CELL,
    ),
    Rule(
        "cell.serial-day",
        "warning",
        "“{typed}”按 Excel 日期序号读作 {day}。请核对。",
        "“{typed}” was read as Excel's number of the day {day}. Please check it.",
        _CELL,
    ),
    Rule(
        "cell.error",
        "violation",
        "此单元格是公式错误值。请填写实际内容。",
        "This cell holds the error of a formula. Type what it should say.",
        _CELL,
    ),
    Rule(
        "cell.long",
        "violation",
        "此单元格超过 {most} 个字符。请缩短。",
        "This cell has more than {most} characters. Shorten it.",
        _CELL,
    ),
    Rule(
        "cell.choice",
        "violation",
        "“{typed}”无法识别。可填：{known}。",
        "“{typed}” is not known. It can be: {known}.",
        _CELL,
    ),
    Rule(
        "vin.twice",
        "violation",
        "与第 {row} 行的车辆识别代号相同。请删除重复的一行。",
        "The same VIN as in row {row}. Delete one of the two rows.",
        "signer B5",
    ),
    Rule(
        "vin.drafted",
        "violation",
        "该车已在草稿 {draft} 中。请删除此行，或先在那份草稿中移除该车。",
        "This vehicle is in the draft {draft} already. Delete this row, or take the vehicle out of that draft first.",
        "signer B5",
    ),
    Rule(
        "vin.batched",
        "violation",
        "该车已在批次 {batch} 中等待用印。请删除此行，或先取消那个批次。",
        "This vehicle waits in the batch {batch} already. Delete this row, or cancel that batch first.",
        "signer B5",
    ),
)
_BY_ID = {each.id: each for each in SHEET_RULES}


def finding(rule_id: str, place: str, **said: Words) -> Finding:
    """Return a rule's finding for a cell (`C5`), a column (`C`), or the whole file ('')."""
    return _BY_ID[rule_id].at(place, **said)


def refused(rule_id: str, place: str = "", **said: Words) -> RuleViolation:
    """Return the error of a whole file that cannot be taken, to be raised."""
    return RuleViolation((finding(rule_id, place, **said),))
